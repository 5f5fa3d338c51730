# The device's half: `mixcon infer`, without torch. From the root of the checkout:
#   docker build -f containers/edge.Dockerfile -t mixcon-edge .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -v "$PWD/deploy/edge:/export/edge:ro" \
#     -v "$PWD/deploy/public-key.pem:/export/public-key.pem:ro" -v mixcon-state:/state \
#     -v "$PWD/photos:/photos:ro" mixcon-edge --url https://cloud.example:8080 /photos
FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY web web
COPY src src
RUN python -m venv /opt/mixcon && /opt/mixcon/bin/pip install --no-cache-dir -c constraints.txt '.[edge]'

FROM python:3.13-slim
COPY --from=build /opt/mixcon /opt/mixcon
# What was used and spent has to outlive the container.
RUN mkdir /state && chown 10001:10001 /state
ENV PATH=/opt/mixcon/bin:$PATH MIXCON_STATE=/state PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /state
# Healthy is a device whose contract is signed, whole and has not expired.
HEALTHCHECK --interval=60s --timeout=10s CMD ["python", "-c", "from pathlib import Path; from mixcon.serving import read_contract; read_contract(Path('/export/edge'), 'encoder', Path('/export/public-key.pem')).check_expiry()"]
ENTRYPOINT ["mixcon", "infer", "--edge", "/export/edge", "--trust", "/export/public-key.pem"]
