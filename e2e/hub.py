"""Two people log in to a JupyterHub, with deploy/jupyterhub's configuration, and run cells.

    /usr/bin/python3 e2e/hub.py [FOLDER]

It needs root, control groups that can be written, and Debian's packages jupyterhub,
node-configurable-http-proxy and jupyter-server or jupyter-notebook. It makes two users of
the system and removes them. Installing the kernel with caches of its own takes some
minutes; with FOLDER, what is installed stays there for the next time.
"""

import asyncio
import contextlib
import http.cookiejar
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 300  # seconds; a limit for what hangs, not a measure
LIMITS = {"alice": ("1G", 1), "bob": ("2G", 2)}


def say(*words):
    print(f"{time.strftime('%H:%M:%S')}", *words, flush=True)


def check(ok, what, *got):
    say("ok    " if ok else "FAILED", what, *got)
    if not ok:
        check.failed += 1


check.failed = 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def install(folder):
    """Installs the kernel into folder/pre, with all that its first cells need in folder/cache, as docs/hub.md says."""
    cache = folder / "cache"
    env = dict(os.environ, XDG_CACHE_HOME=str(cache), GOCACHE=str(cache / "go-build"), GOMODCACHE=str(cache / "mod"), XDG_STATE_HOME=str(folder), GOENV="off")
    env.pop("GOFLAGS", None)  # with flags of one user, what is compiled is another thing than with those of others
    start = time.monotonic()
    subprocess.run(["go", "run", "./install", "--prefix", str(folder / "pre")], cwd=ROOT, env=env, check=True)
    subprocess.run(["chmod", "-R", "a+rX,go-w", str(folder / "pre"), str(cache)], check=True)
    say(f"installed in {time.monotonic() - start:.0f} s")


class User:
    """A person in front of a browser."""

    def __init__(self, base, name):
        self.base, self.name = base, name
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.token = None

    def request(self, path, data=None, method=None, form=False):
        headers = {"Referer": self.base + "/hub/home", "Content-Type": "application/x-www-form-urlencoded" if form else "application/json"}
        if self.token:
            headers["Authorization"] = "token " + self.token
        if data is not None:
            data = (urllib.parse.urlencode(data) if form else json.dumps(data)).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        with self.opener.open(request, timeout=PATIENCE) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def log_in(self):
        self.request("/hub/login")
        xsrf = [c.value for c in self.cookies if c.name == "_xsrf"]
        self.request("/hub/login", {"username": self.name, "password": "of the test", **({"_xsrf": xsrf[0]} if xsrf else {})}, form=True)
        self.token = self.request(f"/hub/api/users/{self.name}/tokens", {"note": "test"})["token"]

    def start_server(self):
        with contextlib.suppress(urllib.error.HTTPError):  # the login has asked for it already
            self.request(f"/hub/api/users/{self.name}/server", {})
        deadline = time.monotonic() + PATIENCE
        while not self.request(f"/hub/api/users/{self.name}")["servers"].get("", {}).get("ready"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server of {self.name} does not start")
            time.sleep(0.1)

    async def start_kernel(self):
        self.kernel = self.request(f"/user/{self.name}/api/kernels", {"name": "nnkit"})["id"]
        url = f"{self.base.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{self.kernel}/channels"
        self.socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": "token " + self.token}, request_timeout=PATIENCE))

    async def run(self, code):
        """Executes a cell and returns all that it shows, as text."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "test", "username": self.name, "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
        await self.socket.write_message(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}))
        shown, replied, idle = "", False, False
        while not (replied and idle):
            text = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
            if text is None:
                raise ConnectionError(f"the server of {self.name} has closed the connection")
            m = json.loads(text)
            if m["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            kind, c = m["header"]["msg_type"], m["content"]
            if kind == "stream":
                shown += c["text"]
            elif kind in ("execute_result", "display_data"):
                shown += c["data"].get("text/plain", "")
            elif kind == "error":
                shown += "\n".join(c["traceback"])
            replied |= kind == "execute_reply"
            idle |= kind == "status" and c["execution_state"] == "idle"
        return shown


def processes(name):
    """The folders in /proc of what a user has running, if there is such a user."""
    with contextlib.suppress(KeyError):
        uid = pwd.getpwnam(name).pw_uid
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if process.stat().st_uid == uid:
                    yield process


def listening(process):
    """The ports of TCP that a process listens on."""
    ports = {}
    for table in ("tcp", "tcp6"):
        for line in (process / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                ports[f"socket:[{fields[9]}]"] = int(fields[1].rsplit(":", 1)[1], 16)
    return [ports[link] for link in (os.readlink(fd) for fd in (process / "fd").iterdir()) if link in ports]


async def work(base, names, folder):
    alice, bob = users = [User(base, name) for name in names]
    for u in users:
        u.log_in()
        u.start_server()
        await u.start_kernel()
    start = time.monotonic()
    first = await asyncio.gather(*(u.run("n := os.Getuid()\nfmt.Println(n)") for u in users))
    say(f"both have run a first cell after {time.monotonic() - start:.1f} s")
    for u, shown in zip(users, first):
        check(shown.strip() == str(pwd.getpwnam(u.name).pw_uid), "cells run as their user:", u.name, repr(shown))
    for u in users:
        own = pathlib.Path(pwd.getpwnam(u.name).pw_dir) / ".cache" / "nnkit"
        built = [p for kind in ("lib", "worker") for p in own.glob(f"{kind}/*/sums.json") if not p.parent.name.startswith("link-")]
        check(not built, "the first library and the worker come from the shared cache; in", own, "are", *built)
    both = await asyncio.gather(*(u.run('import "runtime"\nn += 1\nfmt.Println(n-os.Getuid(), runtime.GOMAXPROCS(0))') for u in users))
    check(all(s.startswith("1 ") for s in both), "values stay:", both)

    for u, limit in zip(users, ("1.0 GB", "2.0 GB")):
        shown = await u.run("%limits")
        group = f"/jupyterhub/{u.name}-server/memory."
        check(f"memory      {limit} (" in shown and group in shown, "limits:", shown.strip())
        mb = int(await u.run('import "runtime/debug"\nfmt.Println(debug.SetMemoryLimit(-1)>>20)'))
        total = float(limit[:3]) * 1024
        check(total / 2 <= mb <= total - 256, f"the collector keeps below {mb} MB of {limit}")

    start = time.monotonic()
    train = """import "github.com/seed5607215b/nnkit/nnkit"
x := [][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}
y := []float32{0, 1, 1, 0}
model := nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
model.Compile(nnkit.Adam(nnkit.LearningRate(0.05)), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
h := model.Fit(x, y, nnkit.Epochs(200), nnkit.Verbose(0))
fmt.Println("trained", h != nil)"""
    both = await asyncio.gather(*(u.run(train) for u in users))
    check(all("trained true" in s for s in both), f"both train a network, {time.monotonic() - start:.1f} s:", both)
    for u in users:
        own = pathlib.Path(pwd.getpwnam(u.name).pw_dir) / ".cache" / "nnkit" / "packages"
        asked = [p for p in own.glob("*.json") if not p.name.startswith("names-")]
        check(not asked, "what training needs was compiled before, and the go command was not asked; in", own, "are", *asked)

    # What one has is not for the other.
    home = pwd.getpwnam(alice.name).pw_dir
    await alice.run('os.WriteFile("secret.txt", []byte("of alice"), 0o644)\nos.MkdirAll("sub", 0o755)')
    check("of alice" in await alice.run('text := os.ReadFile("secret.txt")\nstring(text)'), "a file is there for its owner")
    session = (await alice.run('os.Getenv("GONB_TMP_DIR")')).strip().strip('"')
    runtime = next(pathlib.Path(home).glob(".local/share/jupyter/runtime/kernel-*-ipc-1"), None)
    check(runtime is not None, "the kernel is reached through sockets:", runtime)
    for what, path in {"file": home + "/secret.txt", "home": home, "cache": home + "/.cache/nnkit", "session folder": session,
                       "connection file": f"{home}/.local/share/jupyter/runtime/kernel-{alice.kernel}.json"}.items():
        shown = await bob.run(f'_, err := os.Stat("{path}/.")\nif err == nil {{\n\t_, err = os.ReadDir("{path}")\n}}\nfmt.Println(err)')
        check("permission denied" in shown, f"the other cannot look into the {what}:", shown.strip())
    shown = await bob.run(f'import "net"\n_, err = net.Dial("unix", "{runtime}")\nfmt.Println(err)')
    check("permission denied" in shown, "the other cannot reach the kernel's socket:", shown.strip())
    kernels = [p for p in processes(alice.name) if "nnkit-kernel" in (p / "cmdline").read_text()]
    check(len(kernels) == 1 and not listening(kernels[0]), "the kernel listens on no port:", *kernels)
    pid = (await alice.run("os.Getpid()")).strip()
    shown = await bob.run(f'import "syscall"\nfmt.Println(syscall.Kill({pid}, syscall.SIGKILL), os.WriteFile("/proc/{pid}/mem", nil, 0))')
    check("operation not permitted permission denied" in shown.replace(f"open /proc/{pid}/mem: ", ""), "the other cannot end or change the process:", shown.strip())
    shown = await bob.run(f'fmt.Println(os.WriteFile("{folder}/cache/nnkit/lib/x", nil, 0o600), os.Remove("{folder}/cache/nnkit/lib"))')
    check(shown.count("permission denied") == 2, "nobody can write into the shared cache:", shown.strip())
    with contextlib.suppress(urllib.error.HTTPError):
        bob.request(f"/user/{alice.name}/api/kernels")
        check(False, "the other's token opens the server")

    # One takes too much; the other does not notice.
    shown = await alice.run("var all [][]byte\nfor {\n\tb := make([]byte, 16<<20)\n\tfor i := 0; i < len(b); i += 4096 {\n\t\tb[i] = 1\n\t}\n\tall = append(all, b)\n}")
    check("the memory limit of 1.0 GB was reached" in shown, "a cell that takes too much:", shown.strip())
    check((await alice.run("6 * 7")).strip() == "42", "and its kernel goes on")
    check((await bob.run("n-os.Getuid()")).strip() == "1", "the other's values are there")
    for u in users:
        u.socket.close()
        u.request(f"/hub/api/users/{u.name}/server", method="DELETE")


def main():
    if os.getuid() != 0:
        sys.exit("this test needs root")
    kept = len(sys.argv) > 1
    folder = pathlib.Path(sys.argv[1]) if kept else pathlib.Path(tempfile.mkdtemp(prefix="nnkit-hub-", dir="/var/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    names = [f"nnkit-{name}" for name in LIMITS]
    hub = None
    try:
        if not (folder / "pre").exists():
            install(folder)
        for name in names:
            subprocess.run(["userdel", "--force", name], stderr=subprocess.DEVNULL)
            shutil.rmtree(folder / name, ignore_errors=True)
            subprocess.run(["useradd", "--create-home", "--home-dir", str(folder / name), "--shell", "/bin/bash", "--key", "HOME_MODE=0700", name], check=True)
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        limits = {f"nnkit-{name}": limit for name, limit in LIMITS.items()}
        config = folder / "config.py"
        config.write_text(f"""
load_subconfig({str(ROOT / "deploy/jupyterhub/jupyterhub_config.py")!r})
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "of the test"
c.Authenticator.allowed_users = {set(names)!r}
c.JupyterHub.bind_url = {base!r}
c.JupyterHub.hub_port = {free_port()}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
c.ConfigurableHTTPProxy.pid_file = {str(folder / "proxy.pid")!r}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = {str(folder / "cookie_secret")!r}
c.Spawner.environment["JUPYTER_PATH"] = {str(folder / "pre/share/jupyter")!r}
limits = {limits!r}


async def limited(spawner):
    spawner.mem_limit, spawner.cpu_limit = limits[spawner.user.name]


c.Spawner.pre_spawn_hook = limited
""")
        (folder / "hub.sqlite").unlink(missing_ok=True)
        env = dict(os.environ, NNKIT_HUB_CACHE=str(folder / "cache"), NODE_PATH="/usr/share/nodejs:/usr/lib/nodejs")
        for name in ("XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE", "JUPYTER_PATH"):
            env.pop(name, None)
        with open(folder / "hub.log", "w") as log:
            hub = subprocess.Popen(["/usr/bin/python3", "-m", "jupyterhub", "-f", str(config)], cwd=folder, env=env, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(base + "/hub/health", timeout=PATIENCE)
                break
            if hub.poll() is not None or time.monotonic() > deadline:
                raise ChildProcessError("the hub does not start")
            time.sleep(0.1)
        say("the hub is there")
        asyncio.run(work(base, names, folder))
    except Exception:
        check(False, traceback.format_exc())
    finally:
        if hub:
            hub.send_signal(signal.SIGTERM)
            hub.wait(timeout=PATIENCE)
            left = list(pathlib.Path("/sys/fs/cgroup").glob("**/jupyterhub/nnkit-*"))
            check(not left, "no control group is left:", *left)
            for around in pathlib.Path("/sys/fs/cgroup").glob("**/jupyterhub"):
                with contextlib.suppress(OSError):  # another hub's
                    around.rmdir()
            if check.failed:
                print((folder / "hub.log").read_text()[-6000:])
        for name in names:
            for process in processes(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process.name), signal.SIGKILL)
            subprocess.run(["userdel", "--force", name], stderr=subprocess.DEVNULL)
            shutil.rmtree(folder / name, ignore_errors=True)
        if not kept:
            shutil.rmtree(folder)
    print(f"{check.failed} checks failed")
    sys.exit(check.failed > 0)


main()
