// Runs the Go program of a %wasm cell in the page that shows the notebook. What it
// prints goes below the cell's own element, and not to the browser's console.
(async () => {
  const run = RUN;
  const wait = time => new Promise(done => setTimeout(done, time));
  let place = null; // some front ends run a script before its output is in the page
  for (let i = 0; i < 100 && !(place = document.getElementById(run.div)); i++) await wait(20);
  if (!place) return;
  const output = place.nextElementSibling;
  output.replaceChildren();
  let room = 1e6; // characters
  const print = (text, isError) => {
    if (room <= 0) return;
    room -= text.length;
    const part = document.createElement("span");
    part.textContent = room > 0 ? text : "\n… more is not shown\n";
    if (isError) part.style.background = "var(--jp-rendermime-error-background, rgba(255, 0, 0, 0.15))";
    output.append(part);
  };

  // Jupyter's pages say where their server is: JupyterLab and Notebook 7 in one place,
  // Notebook 6 in another.
  let config = {};
  try { config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}"); } catch { /* it is not theirs */ }
  const root = new URL(config.baseUrl ?? document.body.dataset.baseUrl ?? "/", location.href);
  const served = name => {
    const url = new URL(`${run.files}/${name}`, root);
    if (config.token) url.searchParams.set("token", config.token);
    return url;
  };
  const get = async name => {
    const answer = await fetch(served(name)).catch(() => null);
    if (!answer) throw Error("this page does not reach the Jupyter server, which has the cell's program");
    if (!answer.ok) throw Error("the program went with the kernel that has built it: run the cell again");
    return answer;
  };

  try {
    let program;
    if (run.program) {
      const packed = await (await fetch(`data:application/gzip;base64,${run.program}`)).blob();
      program = new Response(packed.stream().pipeThrough(new DecompressionStream("gzip")));
    } else {
      program = await get(run.name);
      if (!globalThis.Go) {
        const script = document.createElement("script");
        script.textContent = await (await get("wasm_exec.js")).text();
        document.head.append(script);
      }
    }
    // The programs of a page share its file system, as wasm_exec.js has it: what is
    // written goes to the one that is running.
    if (!fs.show) {
      const write = fs.writeSync;
      fs.writeSync = (fd, bytes) => {
        if (!fs.program) return write.call(fs, fd, bytes);
        fs.program.write(fd, bytes);
        return bytes.length;
      };
      fs.show = (type, text) => fs.program.show(type, text);
    }
    const during = (program, f) => {
      const before = fs.program;
      fs.program = program;
      try { return f(); } finally { fs.program = before; }
    };
    class Program extends Go {
      decoders = {};
      constructor() {
        super();
        this.exit = status => { if (status) print(`exit status ${status}\n`, true); };
      }
      run(instance) { return during(this, () => super.run(instance)); }
      _resume() {
        if (this.exited) return print("The program has ended: what calls it here has no effect. Where it is to go on, end it with select {}.\n", true);
        return during(this, () => super._resume());
      }
      write(fd, bytes) {
        const decoder = this.decoders[fd] ??= new TextDecoder();
        print(decoder.decode(bytes, { stream: true }), fd === 2);
      }
      show(type, text) {
        const part = document.createElement(type === "text/plain" ? "span" : "div");
        if (type === "text/plain") part.textContent = text + "\n";
        else if (type.startsWith("image/") && type !== "image/svg+xml") {
          const image = document.createElement("img");
          image.src = `data:${type};base64,${text}`;
          part.append(image);
        } else part.innerHTML = text;
        output.append(part);
      }
    }
    const go = new Program();
    go.argv = ["js", ...run.args];
    const { instance } = await WebAssembly.instantiate(await program.arrayBuffer(), go.importObject);
    await go.run(instance);
  } catch (e) {
    print(`${e.message ?? e}\n`, true);
  }
})();
