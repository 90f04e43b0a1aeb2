"""kill -9 in the middle of build, add or remove; `make kill-test` does it 240 times."""

from stress.kill import at_every_step, run


def test_the_index_is_the_old_or_the_new_one_after_every_kill(tmp_path):
    found = run(12, seed=7, folder=tmp_path)
    assert found["kills"] == 12


def test_so_it_is_when_killed_right_before_each_step_by_which_versions_change_places(tmp_path):
    found = at_every_step(tmp_path)
    assert min(found["add"], found["remove"]) >= 4, "some steps were not seen"
