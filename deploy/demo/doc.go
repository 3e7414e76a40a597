// Command demo is `make demo`: on three test hosts it shows how FTP fails
// behind a NAT and a closed firewall, then how it works through the gateway,
// what each side said and was told, which rules were open meanwhile, and that
// nothing is left open afterwards.
//
// Nothing is played: the hosts are network namespaces, the rules are the
// kernel's, and the gateway is the ftpalg that the command line names. Only the
// FTP server and client are the lab's own.
package main
