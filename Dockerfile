# Longline in one image: `longline serve` by default; `longline web`, `worker` or `sender` to split it.
#
#   docker build -t longline .
#   docker run -p 8000:8000 -v longline:/data longline
#
# Settings are environment variables: docs/operations.md. Beyond loopback it starts only with a token:
#   docker run -v longline:/data longline longline token create --scope admin
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 longline && mkdir /data && chown longline /data
WORKDIR /app
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY models models
COPY service service
COPY migrations migrations
COPY static static
# hadolint ignore=DL3013
RUN pip install --no-cache-dir '.[worker]'

USER 10001
ENV LONGLINE_DATA=/data LONGLINE_HOST=0.0.0.0 LONGLINE_PORT=8000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["longline", "serve"]
