package words

import (
	"ftpalg/alg"
	"ftpalg/alg/dialogue"
)

var reasons = map[string]string{
	string(dialogue.ThirdParty): "it names a host that is not the session's own",
	string(dialogue.LowPort):    "it names a port below 1024",
	string(dialogue.Syntax):     "its host-port cannot be read",
	string(dialogue.Framing):    "two parties could read the line differently",
	string(dialogue.TooLong):    "it is longer than limits.command_line",
	string(dialogue.Family):     "it names the other address family",
	string(dialogue.NotAllowed): "the configuration does not allow it",
	string(dialogue.Sequence):   "it may not follow EPSV ALL",
	string(dialogue.NotFTP):     "it is another protocol's",
	string(alg.CausePool):       "no data port was free",
	string(alg.CauseShare):      "the client held as many data ports as limits.promises_per_client allows",
	string(alg.CauseRate):       "the client asked for more data connections a minute than rates.promises allows",
	string(alg.CauseUnresolved): "the public address was not known",
	string(alg.CauseKernel):     "the kernel did not open the way",
}

// Reason says in words why a line was not passed on; it returns a name that
// it does not know as it is.
func Reason(name string) string {
	if text, ok := reasons[name]; ok {
		return text
	}
	return name
}
