# The image of the pods: one program, its libraries, nothing to build with.
#
# `make image` builds it without a daemon. By hand, with a wheelhouse in build/wheelhouse (see packaging/image.sh):
#   docker build --build-arg BASE=NAME@sha256:... .
#
# BASE has Python 3.11 or later, and is named by its digest: a tag can be moved to other bytes. It has no default on
# purpose: which one is trusted is for whoever runs the image to say.
ARG BASE

FROM ${BASE} AS build
# Nothing is fetched from a network here: every wheel was checked against its hash in the lock when it was collected,
# and is checked again. pip runs out of its own wheel, so the base needs none.
COPY build/wheelhouse /wheels
COPY requirements/runtime.txt /wheels/runtime.txt
RUN python3 -m venv --without-pip /opt/landbridge \
 && pip="$(echo /wheels/pip-*.whl)/pip" \
 && python3 "$pip" --python /opt/landbridge/bin/python install --quiet --no-cache-dir --no-index --find-links /wheels \
      --no-deps --require-hashes -r /wheels/runtime.txt \
 && python3 "$pip" --python /opt/landbridge/bin/python install --quiet --no-cache-dir --no-index --no-deps \
      /wheels/landbridge-*.whl

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Landbridge" \
      org.opencontainers.image.description="Carries declared files from the cloud to the ground, and proves that they arrived" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/landbridge /opt/landbridge
# The root is read-only in the pods; what a run writes goes to TMPDIR, which is a volume there.
ENV PATH=/opt/landbridge/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/tmp \
    HOME=/tmp
WORKDIR /tmp
# The user of the rendered manifests; it owns nothing in the image.
USER 10001:10001
ENTRYPOINT ["landbridge"]
CMD ["--help"]
