// Package packages installs the Debian package in a tree that debootstrap has
// made, as an operator would: install, configure, run, upgrade, remove, purge.
package packages
