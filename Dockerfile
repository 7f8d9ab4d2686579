# The service and the nightly job, on a CPU. Build: docker build -t review-insights .
# With Ray for deploy/kubernetes/rayjob.yaml: --build-arg EXTRAS=service,openai,ray
# First stage: everything into /opt/venv, with torch's CPU build (the default one brings gigabytes of CUDA).
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY constraints.txt ./
RUN torch="$(grep '^torch==' constraints.txt)" \
    && pip install --index-url https://download.pytorch.org/whl/cpu "$torch"
COPY pyproject.toml README.md LICENSE ./
COPY prompts prompts
COPY warehouse warehouse
COPY pipeline pipeline
ARG EXTRAS=service,openai
RUN pip install --constraint constraints.txt ".[$EXTRAS]"

# Second stage: only what runs.
FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin insights \
    && install --directory --owner insights --group insights --mode 0700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 HOME=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["review-insights"]
# Inside a container loopback reaches nobody; a key (REVIEW_INSIGHTS_API_KEY) or --no-auth must still be chosen.
CMD ["serve", "--host", "0.0.0.0", "--warehouse", "/data/insights.duckdb"]
