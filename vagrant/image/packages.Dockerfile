# A base image with more packages, where the base is Debian's own slim image: ARG BASE.
ARG BASE
FROM ${BASE}
COPY packages.txt /tmp/packages.txt
RUN mkdir -p /usr/share/man/man1 && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(grep -v '^#' /tmp/packages.txt) \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /tmp/packages.txt
