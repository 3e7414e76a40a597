// Package deploypackage holds what the packages are made of (nfpm.yaml and the
// scripts); its test sees that every file of it is there.
package deploypackage
