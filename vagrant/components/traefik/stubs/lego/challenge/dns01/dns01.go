// Package dns01 has the options of a challenge by DNS, and the one function of it that Traefik uses without ACME.
package dns01

import (
	"strings"
	"time"
)

type (
	Client          struct{}
	ChallengeOption struct{}
	Options         struct{ RecursiveNameservers []string }
)

func NewClient(*Options) *Client { return &Client{} }

func SetDefaultClient(*Client) {}

func CondOptions(bool, ...ChallengeOption) ChallengeOption { return ChallengeOption{} }

func DisableAuthoritativeNssPropagationRequirement() ChallengeOption { return ChallengeOption{} }

func DisableRecursiveNSsPropagationRequirement() ChallengeOption { return ChallengeOption{} }

func PropagationWait(time.Duration, bool) ChallengeOption { return ChallengeOption{} }

// UnFqdn returns a name without the dot at its end.
func UnFqdn(name string) string { return strings.TrimSuffix(name, ".") }
