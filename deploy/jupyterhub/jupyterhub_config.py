"""JupyterHub with the nnkit kernel on one machine: each person has an account of the
system, and a server with limits of its own. docs/hub.md tells how to set it up.

    jupyterhub -f deploy/jupyterhub/jupyterhub_config.py

It runs as root, as any JupyterHub that starts servers as other users.
"""

import asyncio
import os
import re
import signal

from jupyterhub.spawner import LocalProcessSpawner


class LimitedProcessSpawner(LocalProcessSpawner):
    """LocalProcessSpawner whose mem_limit and cpu_limit hold: it puts each server, with all
    that it starts, into a control group of its own, of version 2 or 1. The kernel finds
    the limits there."""

    around = "jupyterhub"  # the group around those of the servers
    top = "/sys/fs/cgroup"
    period = 100_000  # microseconds, over which the time of processors is counted

    def limits(self):
        """The server's groups, by folder, and what is written into the files of each."""
        name = re.sub(r"[^\w.-]", lambda c: "_%x_" % ord(c[0]), f"{self.user.name}-{self.name or 'server'}")
        memory = int(self.mem_limit or 0)
        processors = int((self.cpu_limit or 0) * self.period)
        if os.path.exists(f"{self.top}/cgroup.controllers"):
            files = {"memory.max": memory or "max", "cpu.max": f"{processors or 'max'} {self.period}"}
            return {f"{self.top}/{self.around}/{name}": files}
        return {
            f"{self.top}/memory/{self.around}/{name}": {"memory.limit_in_bytes": memory or -1},
            f"{self.top}/cpu/{self.around}/{name}": {"cpu.cfs_period_us": self.period, "cpu.cfs_quota_us": processors or -1},
        }

    def make_groups(self):
        for group, files in self.limits().items():
            outer = os.path.dirname(group)
            os.makedirs(outer, exist_ok=True)
            if os.path.exists(f"{outer}/cgroup.subtree_control"):
                for folder in (self.top, outer):
                    with open(f"{folder}/cgroup.subtree_control", "w") as f:
                        f.write("+memory +cpu")
            os.makedirs(group, exist_ok=True)
            for name, value in files.items():
                with open(f"{group}/{name}", "w") as f:
                    f.write(str(value))

    def make_preexec_fn(self, name):
        become_user = super().make_preexec_fn(name)
        groups = list(self.limits())

        def preexec():  # in the server's process, while it is root's
            for group in groups:
                with open(f"{group}/cgroup.procs", "w") as f:
                    f.write("0")
            become_user()

        return preexec

    async def start(self):
        self.make_groups()
        return await super().start()

    async def stop(self, now=False):
        await super().stop(now)
        await self.remove_groups()

    async def poll(self):
        status = await super().poll()
        if status is not None:  # it has ended by itself
            await self.remove_groups()
        return status

    async def remove_groups(self):
        """Ends what a server has left running, and removes its groups."""
        for group in self.limits():
            while os.path.isdir(group):
                try:
                    with open(f"{group}/cgroup.procs") as f:
                        left = [int(pid) for pid in f]
                    for pid in left:
                        os.kill(pid, signal.SIGKILL)
                    if not left:
                        os.rmdir(group)
                except (FileNotFoundError, ProcessLookupError):
                    pass  # gone meanwhile
                except OSError as e:  # busy: the last process is still ending
                    self.log.debug("%s: %s", group, e)
                await asyncio.sleep(0.05)


c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = LimitedProcessSpawner
c.Spawner.mem_limit = "4G"
c.Spawner.cpu_limit = 2
c.Spawner.notebook_dir = "~"
c.Spawner.http_timeout = 120
c.Spawner.start_timeout = 120

# A server's kernels are reached through sockets in its user's own folder. Through ports
# of the machine, the default, every user could listen to the outputs of all.
c.Spawner.args = ["--KernelManager.transport=ipc"]

# What all cells need, compiled once by root: folders that users can read, and not write.
cache = os.environ.get("NNKIT_HUB_CACHE", "/var/cache/nnkit")
c.Spawner.environment = {
    "NNKIT_SHARED_CACHE": f"{cache}/nnkit",
    "NNKIT_CACHE_SIZE": "2GB",  # for each user, beside it
    "GOPROXY": f"file://{cache}/mod/cache/download,https://proxy.golang.org,direct",
    "GOTOOLCHAIN": "local",
    "PATH": os.environ["PATH"],
}
