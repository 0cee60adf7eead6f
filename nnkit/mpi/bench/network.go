package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// overNetwork measures two ranks over a network of a latency and a bandwidth, and compares that with the model. The network is
// the loopback of a network namespace, through which both directions go: it gets twice the bandwidth.
func overNetwork(text, figuresFile string, seconds float64) error {
	before, after, ok := strings.Cut(text, ",")
	delay, err1 := strconv.ParseFloat(strings.TrimSuffix(before, "us"), 64)
	rate, err2 := strconv.ParseFloat(strings.TrimSuffix(after, "gbit"), 64)
	if !ok || err1 != nil || err2 != nil || delay < 0 || rate <= 0 {
		return fmt.Errorf("-network %s: it wants a latency and a bandwidth, as 50us,1gbit", text)
	}
	if figuresFile == "" {
		return fmt.Errorf("-network compares with figures of this machine: give them by -from")
	}
	f, err := readFigures(figuresFile)
	if err != nil {
		return err
	}
	space := fmt.Sprintf("nnkit-%d", os.Getpid())
	for _, command := range []string{
		"ip netns add " + space,
		"ip netns exec " + space + " ip link set lo mtu 9000 up",
		fmt.Sprintf("ip netns exec %s tc qdisc add dev lo root netem delay %gus rate %gmbit limit 100000", space, delay, 2000*rate),
	} {
		words := strings.Fields(command)
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, out)
		}
		if strings.Contains(command, " add "+space) {
			defer exec.Command("ip", "netns", "delete", space).Run()
		}
	}
	l := launcher{seconds: seconds, before: []string{"ip", "netns", "exec", space}, options: []string{
		"--mca", "btl", "tcp,self", "--mca", "pml", "ob1", "--mca", "btl_tcp_if_include", "lo", "--mca", "oob_tcp_if_include", "lo",
	}}
	sent, err := l.run(task{}, 2, 1)
	if err != nil {
		return err
	}
	link := figures{Sent: sent}.within()
	fmt.Printf("a network of %g µs and %g Gb/s each way: a message takes %.0f µs, and long ones come with %.3f GB/s\n", delay, rate, link.latency, link.bandwidth/1e3)
	for _, t := range trainings {
		m, err := f.fit(t)
		if err != nil {
			return err
		}
		for _, shards := range []int{2, 8} {
			steps, err := l.run(task{t.Name, shards, t.Batch}, 2, 1)
			if err != nil {
				return err
			}
			fmt.Printf("%-5s 2 ranks, %d shards: %7.2f ms by the model, %7.2f measured (median %.2f)\n", t.Name, shards,
				m.all(shards, 2, t.Batch, link)/1e3, steps[0].Best/1e3, steps[0].Median/1e3)
		}
	}
	return nil
}
