"""Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, with the webhook's secret."""

import base64
import hashlib
import hmac

from service.webhooks.registry import SECRET_PREFIX


def headers(secret: str, message_id: str, timestamp_s: int, body: str) -> dict[str, str]:
    """What a receiver checks. The id is the same at each try, so a receiver knows a repetition."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature(secret, message_id, timestamp_s, body)}",
    }


def signature(secret: str, message_id: str, timestamp_s: int, body: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp_s}.{body}".encode()
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
