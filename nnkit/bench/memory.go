package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// memory compares, for each workload that trains, the most memory that a process has ever had in which it trained: ours,
// this program once more, and one of each peer.
func (b *bench) memory(only string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, w := range workloads {
		if only != "" && only != w.name || !w.trains {
			continue
		}
		out, err := exec.Command(program, "-train", w.name).Output()
		if err != nil {
			return fmt.Errorf("training %s in a process of its own: %w", w.name, err)
		}
		ours, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return err
		}
		for _, peer := range w.peers {
			p, err := b.python.start(1)
			if err != nil {
				return err
			}
			if !slices.Contains(p.names, peer) {
				if err := p.stop(); err != nil {
					return err
				}
				continue
			}
			answer, err := p.request("memory " + peer + " " + w.name)
			if err != nil {
				return err
			}
			theirs, err := strconv.ParseFloat(answer, 64)
			if err != nil {
				return err
			}
			if err := p.stop(); err != nil {
				return err
			}
			if err := b.print(result{Workload: w.name, Threads: 1, Peer: peer, Memory: ours / 1024, PeerMemory: theirs / 1024, MemoryRatio: ours / theirs}); err != nil {
				return err
			}
		}
	}
	return nil
}

// train trains a workload for a while, and prints the most memory that this process has ever had, in kilobytes.
func train(name string) error {
	for _, w := range workloads {
		if w.name != name {
			continue
		}
		run, steps, err := w.prepare()
		if err != nil {
			return err
		}
		for range max(1, 20/steps) {
			if err := run(); err != nil {
				return err
			}
		}
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		fields := strings.Fields(rest)
		if len(fields) < 2 {
			return fmt.Errorf("this system does not tell a process's peak memory in /proc/self/status")
		}
		fmt.Println(fields[0])
		return nil
	}
	return fmt.Errorf("there is no workload %q", name)
}
