"""The log by itself: what was committed is read back, what failed never is, old segments are reused and never misread."""

import random

import pytest

from turdb._testing import wal as w

MIB = 1 << 20


def expected(commits):
    return [(file, page + i, fill) for file, page, n, fill in commits for i in range(n)]


def test_commits_come_back_in_order():
    env = w.LogEnv()
    log = w.LogWriter(env, segment_bytes=50_000)
    commits = [(2 + i % 3, i, 1 + i % 4, 1 + i % 200) for i in range(40)]
    ends = [log.commit(*commit) for commit in commits]
    assert ends == sorted(ends) and log.sync() == ends[-1]
    n, end, next_segment, pages = w.read_log(env)
    assert (n, end, pages) == (40, ends[-1], expected(commits))
    assert next_segment == len(env.segments()) + 1 > 3
    n, _, _, pages = w.read_log(env, log.first_segment_for(ends[24]), ends[24])
    assert (n, pages) == (15, expected(commits[25:]))


def test_transaction_larger_than_a_frame_and_a_segment():
    env = w.LogEnv()
    log = w.LogWriter(env, segment_bytes=MIB)
    commits = [(2, 0, 300, 5), (3, 0, 1, 6)]  # 300 pages: 4.9 MB
    for commit in commits:
        log.commit(*commit)
    n, _, _, pages = w.read_log(env)
    assert (n, pages) == (2, expected(commits))


@pytest.mark.parametrize("fault", [w.IO_ERROR, w.DISK_FULL])
def test_failed_transactions_are_never_read(fault):
    for call in range(1, 30):
        env = w.LogEnv()
        log = w.LogWriter(env, segment_bytes=MIB)
        done = []
        env.fail_at(env.calls() + call, fault)
        for commit in [(2, 0, 1, 1), (2, 0, 150, 2), (3, 5, 1, 3), (2, 0, 150, 4), (2, 1, 2, 5)]:
            try:
                log.commit(*commit)
            except RuntimeError as error:
                assert w.read_log(env)[3] == expected(done)
                if "reopen" in str(error):
                    break  # a sync has failed, after which nothing is appended
            else:
                done.append(commit)
        else:
            assert len(done) >= 4
        assert w.read_log(env)[3] == expected(done)
        env.fail_at(0, fault)
        try:
            log.sync()
            synced = len(done)
        except RuntimeError:
            synced = 0
        env.cut_power()
        env.restart(call)
        if synced:
            assert w.read_log(env)[3] == expected(done)


@pytest.mark.parametrize("seed", range(20))
def test_power_loss_keeps_a_prefix_with_all_that_was_synced(seed):
    rng = random.Random(seed)
    env = w.LogEnv()
    log = w.LogWriter(env, segment_bytes=40_000)
    commits, synced = [], 0
    for i in range(rng.randrange(1, 30)):
        commits.append((2, i, rng.randrange(1, 3), 1 + i))
        log.commit(*commits[-1])
        if rng.random() < 0.3:
            log.sync()
            synced = len(commits)
    env.cut_power()
    env.restart(seed)
    n, end, next_segment, pages = w.read_log(env)
    assert synced <= n <= len(commits)
    assert pages == expected(commits[:n])
    # Going on after the crash in a new segment hides what lay behind.
    log = w.LogWriter(env, number=next_segment, lsn=end)
    log.commit(9, 9, 1, 99)
    assert w.read_log(env)[3] == expected(commits[:n]) + [(9, 9, 99)]


def test_reused_segments_do_not_show_old_frames():
    env = w.LogEnv()
    log = w.LogWriter(env, segment_bytes=60_000)
    for round_ in range(6):
        commits = [(2, i, 1, 10 * round_ + i + 1) for i in range(6 - round_)]
        start = log.end_lsn()
        log.begin_new_segment()
        for commit in commits:
            log.commit(*commit)
        first = log.first_segment_for(start)
        log.drop_before(first)
        n, _, _, pages = w.read_log(env, first, start)
        assert (n, pages) == (len(commits), expected(commits))
    assert len(env.segments()) <= 4
