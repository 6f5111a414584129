// Package ext extends nothing.
package ext

type (
	HTTP   struct{}
	Router struct{}
)
