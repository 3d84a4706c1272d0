"""Whom a client trusts: certificates are read where a server has one to show."""

import pytest

from service.client.tls import TRUSTS_NOBODY, verify


@pytest.mark.parametrize("url", ["https://longline.example", "HTTPS://longline.example:8443"])
def test_a_server_with_a_certificate_is_checked(url):
    assert verify(url) is True


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "HTTP://longline.example"])
def test_one_without_is_not_and_nobody_else_is_trusted_in_its_place(url):
    assert verify(url) is TRUSTS_NOBODY
    assert TRUSTS_NOBODY.check_hostname
    assert TRUSTS_NOBODY.cert_store_stats()["x509_ca"] == 0
