package config

import (
	"maps"
	"slices"
)

// Explained lists the keys that have a meaning.
func Explained() []string { return slices.Sorted(maps.Keys(meanings)) }
