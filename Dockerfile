# One image, four programs: the command decides (see docker-compose.yml).
FROM python:3.11.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock pyproject.toml setup.py README.md LICENSE ./
RUN python -m venv /opt/suyuan && /opt/suyuan/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY trace_core trace_core
COPY gateway_agent gateway_agent
COPY firmware_sim firmware_sim
COPY trace_server trace_server
COPY templates templates
COPY suyuan suyuan
RUN /opt/suyuan/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/suyuan/bin/pip uninstall --yes pytest hypothesis mypy ruff selenium import-linter

FROM python:3.11.11-slim-bookworm
# Reports are made with Pango and a Chinese font.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends \
    fontconfig fonts-noto-cjk libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 >/dev/null \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/suyuan suyuan
COPY --from=build /opt/suyuan /opt/suyuan
ENV PATH=/opt/suyuan/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/suyuan
CMD ["trace-server", "run", "--host", "0.0.0.0", "--port", "8000"]
