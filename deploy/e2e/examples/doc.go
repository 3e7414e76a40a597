// Package examples tries what an operator copies and installs from deploy:
// every example configuration with real transfers on test hosts, the unit
// with the rights that it grants, and the lists of modules and sysctls
// against the code that needs them. It holds nothing but tests.
package examples
