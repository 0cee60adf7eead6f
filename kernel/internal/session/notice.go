package session

import (
	"regexp"
	"strings"
)

// A notice is a text that mpirun has put between two lines of dashes.
type notice string

// notices takes them out of what mpirun and the ranks print.
type notices struct {
	open  bool
	lines strings.Builder
}

var (
	dashes = strings.Repeat("-", 74)
	// more is behind notices of which many ranks have the same.
	more = regexp.MustCompile(`^\[[^]]*\] (\d+ more process(es)? ha(s|ve) sent help message|Set MCA parameter "orte_base_help_aggregate")`)
)

// take takes in a line. It returns what is none of mpirun's, and the notice that has ended.
func (n *notices) take(line string) (rest string, ended notice) {
	switch {
	case strings.TrimSpace(line) == dashes && n.open:
		ended = notice(n.lines.String())
		n.open = false
		n.lines.Reset()
	case strings.TrimSpace(line) == dashes:
		n.open = true
	case n.open:
		n.lines.WriteString(line)
	case !more.MatchString(line):
		return line, ""
	}
	return "", ended
}

// rest returns what came behind dashes that were nobody's notice.
func (n *notices) rest() string {
	if !n.open {
		return ""
	}
	return dashes + "\n" + n.lines.String()
}

// wrongNetwork is what Open MPI says where it will wait forever.
const wrongNetwork = "failed to TCP connect to a peer MPI process"

// hopeless tells that the ranks will not come to an end.
func (n notice) hopeless() bool { return strings.Contains(string(n), wrongNetwork) }

var (
	unreached = regexp.MustCompile(`Local host:\s*(\S+)(?s:.*)connect\(\) to (\S+):\d+ failed`)
	lost      = regexp.MustCompile(`lost communication with a remote daemon(?s:.*)Remote daemon:\s*\S+ on node (\S+)`)
	blank     = regexp.MustCompile(`\s+`)
)

// explain says in a sentence what has happened, if it is one of the things that only mpirun knows; else "".
func (n notice) explain(hosts *Hosts) string {
	if m := unreached.FindStringSubmatch(string(n)); m != nil {
		network := "10.0.0.0/24, say,"
		if hosts != nil && hosts.joined.IsValid() {
			network = hosts.joined.String()
		}
		return m[1] + " cannot reach another host at " + m[2] + ": Open MPI has chosen a network that does not join them. Say which one does, " +
			network + " by OMPI_MCA_btl_tcp_if_include=" + strings.TrimSuffix(network, ", say,") + " in the environment, and let its ports through where there is a firewall"
	}
	if m := lost.FindStringSubmatch(string(n)); m != nil {
		return m[1] + " is lost: it has gone down, or its network has. Without it in the hostfile the same command goes on from the last checkpoint, if there is one"
	}
	return ""
}

// short is the text without its advice.
func (n notice) short() string {
	text, _, _ := strings.Cut(blank.ReplaceAllString(strings.TrimSpace(string(n)), " "), " This usually is caused by")
	return text
}
