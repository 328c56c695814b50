"""Where a server listens, before anything is loaded."""

from __future__ import annotations

import os
import signal
import socket
import threading

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.serve.app import serve
from trtbuild.serve.limits import Limits
from trtbuild.serve.listening import bind_sockets, write_address


@pytest.fixture
def bound():
    sockets = bind_sockets("127.0.0.1", 0)
    yield sockets
    for each in sockets:
        each.close()


def test_of_port_0_the_port_that_was_free_is_told(bound):
    """Somebody has to find it."""
    port = bound[0].getsockname()[1]

    assert f"http://127.0.0.1:{port}" == write_address("127.0.0.1", bound)
    assert f"http://[::1]:{port}" == write_address("::1", bound)


def test_two_servers_do_not_share_a_port(bound):
    """The second is told, by the port."""
    port = bound[0].getsockname()[1]

    with pytest.raises(UsageError, match=f"port {port}: Address already in use"):
        bind_sockets("127.0.0.1", port)


def test_an_address_of_another_machine_is_told():
    """This one cannot listen there."""
    with pytest.raises(UsageError, match=r"--host 192\.0\.2\.1 port 80"):
        bind_sockets("192.0.2.1", 80)


def test_a_signal_ends_a_server_and_is_no_error(models, bound):
    """What it does by itself comes back after it."""
    before = signal.getsignal(signal.SIGTERM)
    address = bound[0].getsockname()

    def end():
        with socket.create_connection(address, 30) as client:
            client.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1)  # it is up
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    serve(models, Limits(), bound)
    thread.join()

    assert before is signal.getsignal(signal.SIGTERM)
