# Two images of one code: `web` (no TensorFlow: small, starts fast) and `worker` (trains and scores).
#
#   docker build --build-arg BASE_IMAGE=... --target web .
#
# BASE_IMAGE is any image with Python 3.11 to 3.13 as `python3` and its venv module, best given by digest. It has no
# default, so that which base goes into production is a decision and not an accident.
ARG BASE_IMAGE

FROM ${BASE_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH

# pip stays outside of the environment it fills: the images end up with no installer and no compiler in it.
FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/venv
WORKDIR /build

FROM build AS build-web
COPY requirements-web.txt .
RUN /opt/pip/bin/python -m pip --python /opt/venv/bin/python install --require-hashes --compile -r requirements-web.txt

FROM build AS build-worker
COPY requirements.txt .
RUN /opt/pip/bin/python -m pip --python /opt/venv/bin/python install --require-hashes --compile -r requirements.txt

FROM base AS app
# A number, not a name: Kubernetes can only check a number against runAsNonRoot.
RUN groupadd --gid 10001 animerec && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin animerec
WORKDIR /app
COPY manage.py params.yaml ./
COPY animerec_site animerec_site
COPY accounts accounts
COPY catalog catalog
COPY recommendations recommendations
COPY ml ml
COPY templates templates
COPY static static
COPY docs/model-card.md docs/model-card.md
ENV DJANGO_SETTINGS_MODULE=animerec_site.settings.prod \
    VAR_DIR=/var/lib/animerec \
    STATIC_ROOT=/app/staticfiles \
    HOME=/tmp
RUN mkdir -p /var/lib/animerec && chown 10001:10001 /var/lib/animerec

FROM app AS web
COPY --from=build-web /opt/venv /opt/venv
# A stand-in secret for this one command; the running site refuses to start without its own.
RUN SECRET_KEY=collectstatic HTTPS=off python manage.py collectstatic --noinput
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz/live', timeout=4)"]
CMD ["gunicorn", "animerec_site.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
     "--worker-class", "gthread", "--worker-tmp-dir", "/tmp", "--no-control-socket", "--access-logfile", "-"]

FROM app AS worker
COPY --from=build-worker /opt/venv /opt/venv
USER 10001:10001
# A worker listens on no port; a dead one is seen by its process ending, a hung one by its job's lease running out.
HEALTHCHECK NONE
CMD ["celery", "-A", "animerec_site", "worker", "--concurrency", "1", "--loglevel", "INFO"]
