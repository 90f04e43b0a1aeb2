"""python -m mmdemo"""

from mmdemo.cli import main

main()
