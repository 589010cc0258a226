from __future__ import annotations

import logging
from logging.handlers import HTTPHandler

import pytest

from helpers import webhook


def test_a_listener_takes_down_what_logging_posts():
    listener = webhook.Listener()
    log = logging.Logger("test")
    log.addHandler(HTTPHandler(listener.host, "/alerts", method="POST"))
    log.warning("epoch 1: 50 % & more = ü")
    log.error("two")
    listener.close()
    assert [(form["levelname"], form["msg"]) for form in listener.received] == [
        ("WARNING", "epoch 1: 50 % & more = ü"),
        ("ERROR", "two"),
    ]


def test_a_closed_listener_does_not_end_whoever_logs(capsys):
    listener = webhook.Listener()
    listener.close()
    log = logging.Logger("test")
    log.addHandler(HTTPHandler(listener.host, "/", method="POST"))
    log.warning("nobody listens")
    assert listener.received == []
    assert "ConnectionRefusedError" in capsys.readouterr().err


def test_each_listener_has_its_own_port():
    first, second = webhook.Listener(), webhook.Listener()
    assert first.host != second.host
    for listener in (first, second):
        listener.close()
    with pytest.raises(OSError, match=r".+"):
        listener._server.socket.getsockname()
