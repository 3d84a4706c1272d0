"""Certificates, for whom they are needed: who makes a client reads all of the machine's, 60 ms of processor."""

import ssl

TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def verify(url: str) -> ssl.SSLContext | bool:
    """What httpx is to check a server by. Of one that speaks plain HTTP there is nothing to check."""
    return TRUSTS_NOBODY if url.lower().startswith("http://") else True
