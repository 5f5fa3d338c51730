# The cloud's half: `mixcon serve`, without torch. From the root of the checkout:
#   docker build -f containers/cloud.Dockerfile -t mixcon-cloud .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -p 8080:8080 \
#     -v "$PWD/deploy:/export:ro" -v mixcon-state:/state mixcon-cloud
# Behind `mixcon-cloud` go further options of mixcon serve: --cert, --key, --tokens.
FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY web web
COPY src src
RUN python -m venv /opt/mixcon && /opt/mixcon/bin/pip install --no-cache-dir -c constraints.txt '.[cloud]'

FROM python:3.13-slim
COPY --from=build /opt/mixcon /opt/mixcon
# Which contract was used last has to outlive the container, or an older one could take its place.
RUN mkdir /state && chown 10001:10001 /state
ENV PATH=/opt/mixcon/bin:$PATH MIXCON_STATE=/state PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HEALTH=http://127.0.0.1:8080/v2/health/ready
USER 10001:10001
VOLUME /state
EXPOSE 8080
STOPSIGNAL SIGTERM
# With --cert, run it with -e HEALTH=https://127.0.0.1:8080/v2/health/ready: its own certificate is of another name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "import os, ssl, urllib.request as u; u.urlopen(os.environ['HEALTH'], timeout=4, context=ssl._create_unverified_context())"]
ENTRYPOINT ["mixcon", "serve", "/export/cloud", "--trust", "/export/public-key.pem", "--host", "0.0.0.0"]
