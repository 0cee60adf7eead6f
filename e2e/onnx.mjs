// Runs models in the format ONNX, by onnxruntime, and tells how far the outputs are from those that are expected.
//
//   node e2e/onnx.mjs CASES.json
//
// CASES.json is a list of {"name", "model" (a file), "inputs" and "outputs"}: by their names, inputs are {"shape" (of all rows),
// "x"}, and outputs the numbers that are expected. Each case gives a line with its name and the largest error, relative where
// outputs are above 1. The exit status is non-zero when a model cannot be run.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
for (const c of JSON.parse(await readFile(process.argv[2], "utf8"))) {
  const session = await ort.InferenceSession.create(await readFile(c.model));
  const inputs = Object.fromEntries(
    Object.entries(c.inputs).map(([name, { shape, x }]) => [name, new ort.Tensor("float32", Float32Array.from(x), shape)]),
  );
  const outputs = await session.run(inputs);
  let error = 0;
  for (const [name, y] of Object.entries(c.outputs)) {
    const got = outputs[name].data;
    if (got.length !== y.length) throw new Error(`${c.name}: ${got.length} numbers in ${name} and not ${y.length}`);
    const errors = y.map((v, i) => Math.abs(got[i] - v) / Math.max(1, Math.abs(v)));
    if (errors.some(Number.isNaN)) throw new Error(`${c.name}: a number in ${name} is none`);
    error = Math.max(error, ...errors);
  }
  console.log(JSON.stringify({ name: c.name, error }));
}
