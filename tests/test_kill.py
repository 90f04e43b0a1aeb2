"""kill -9 in the middle of build, add or remove; `make kill-test` does it 240 times."""

from stress.kill import run


def test_the_index_is_the_old_or_the_new_one_after_every_kill(tmp_path):
    found = run(12, seed=7, folder=tmp_path)
    assert found["kills"] == 12
