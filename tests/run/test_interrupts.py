"""The interrupt key comes at the worst moment."""

from __future__ import annotations

import signal
import threading

import pytest

from trtbuild.run.interrupts import holding_interrupts


def test_an_interrupt_takes_effect_at_the_end():
    """What stands between is done, all of it."""
    done = []

    with pytest.raises(KeyboardInterrupt), holding_interrupts():
        signal.raise_signal(signal.SIGINT)
        done.append("all")

    assert ["all"] == done
    assert signal.default_int_handler is signal.getsignal(signal.SIGINT)


def test_an_error_between_is_not_lost():
    """It goes before the interrupt."""
    with pytest.raises(ValueError, match="between"), holding_interrupts():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("between")


def test_in_another_thread_nothing_is_held():
    """And nothing fails: handlers belong to the main thread."""
    done = []

    def work():
        with holding_interrupts():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert [1] == done
