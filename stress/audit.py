"""pip-audit over requirements.txt: fails where a vulnerability is known, and says so where nothing could be asked.

python -m stress.audit
"""

import json
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]


def verdict(code: int, output: str) -> tuple[int, str]:
    """(exit code, sentence) for what pip-audit returned and printed as JSON."""
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, "pip-audit could not run, since the vulnerability service was not reached; nothing was audited."
    known = [f"{d['name']} {d['version']}: {v['id']}" for d in found for v in d.get("vulns", ())]
    skipped = [d["name"] for d in found if "skip_reason" in d]
    if known:
        return 1, "pip-audit knows of vulnerabilities: " + "; ".join(known)
    if len(skipped) == len(found):
        return 0, "pip-audit could not run: the service knows none of the packages here, so nothing was audited."
    left = f"; not known to the service: {', '.join(skipped)}" if skipped else ""
    return 0, f"pip-audit: no known vulnerability in {len(found) - len(skipped)} packages{left}."


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "-r", "requirements.txt"]
    try:
        run = subprocess.run(
            [*command, "--format", "json", "--progress-spinner", "off", "--timeout", "10"],
            cwd=HOME,
            capture_output=True,
            text=True,
            timeout=180,
        )
        code, sentence = verdict(run.returncode, run.stdout)
    except (OSError, subprocess.TimeoutExpired):
        code, sentence = verdict(1, "")
    print(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main())
