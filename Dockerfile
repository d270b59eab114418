# The main job in a container: meltano run tap-pinterest target-postgres
#   docker build -t tap-pinterest .
#   docker run --env-file .env -v tap-pinterest:/state tap-pinterest
# State and renewed tokens live in /state: keep that volume between runs.
FROM python:3.13-slim AS build
# What Git would say, which is not in here.
ARG VERSION=0.1.0.dev0
ENV SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY requirements requirements
COPY tap_pinterest tap_pinterest
COPY loader loader
COPY fleet fleet
RUN python -m venv /opt/tap-pinterest \
 && /opt/tap-pinterest/bin/pip install --no-cache-dir --constraint requirements/dev.txt \
    . ./loader ./fleet meltano

FROM python:3.13-slim
RUN useradd --uid 1000 --create-home tap && install --directory --owner tap /project /state
COPY --from=build /opt/tap-pinterest /opt/tap-pinterest
COPY --chown=tap meltano.yml /project/
ENV PATH=/opt/tap-pinterest/bin:$PATH \
    MELTANO_DATABASE_URI=sqlite:////state/meltano.db \
    MELTANO_SYS_DIR_ROOT=/state/meltano \
    TAP_PINTEREST_TOKEN_FILE=/state/tokens.json
USER tap
WORKDIR /project
VOLUME /state
ENTRYPOINT ["meltano"]
CMD ["run", "tap-pinterest", "target-postgres"]
