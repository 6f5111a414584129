// The place for extensions of the configuration: a nested module of Traefik that no module proxy has.
module github.com/traefik/traefik/dynamic/ext

go 1.26.0
