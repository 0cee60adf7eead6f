// Package cgroup reads what the control groups of this process allow it: Docker,
// Kubernetes, systemd and JupyterHub's spawners limit memory and processor time by
// them. Both versions are read, also where a system has some controllers in each,
// and all levels that can be seen: a group has no more than those above it.
//
// See https://docs.kernel.org/admin-guide/cgroup-v2.html and, for version 1,
// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html and
// https://docs.kernel.org/scheduler/sched-bwc.html.
//
// It leaves out what a group has been given in other ways: which processors it may
// use (cpuset) is seen by the Go runtime, swap and files' pages are the system's
// business. It changes nothing.
package cgroup
