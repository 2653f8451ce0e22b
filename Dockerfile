# The program and git, for a machine that has neither:
#   docker run --rm -v "$PWD:/repo" -u "$(id -u):$(id -g)" git-tracevault verify --range main
FROM rust:1.95-alpine AS build
RUN apk add --no-cache gcc musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM alpine:3
RUN apk add --no-cache ca-certificates git openssh-client-default \
    && adduser -D -u 1000 tracevault \
    # Whoever it runs as (docker run -u) keeps there which ledgers were met.
    && chmod 1777 /home/tracevault \
    # Mirrors and index of `serve`, as compose.yml mounts them.
    && mkdir /data && chown tracevault /data \
    # The repository that is mounted is its owner's, and asked for.
    && git config --system --add safe.directory /repo
COPY --from=build /src/target/release/git-tracevault /usr/local/bin/
ENV HOME=/home/tracevault
USER tracevault
WORKDIR /repo
ENTRYPOINT ["git-tracevault"]
CMD ["--help"]
