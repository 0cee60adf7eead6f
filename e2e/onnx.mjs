// Runs models in the format ONNX, by onnxruntime, and tells how far the outputs are from those that are expected.
//
//   node e2e/onnx.mjs CASES.json
//
// CASES.json is a list of {"name", "model" (a file), "shape" (of all rows), "x", "y"}. Each gives a line with the case's name
// and the largest error, relative where outputs are above 1. The exit status is non-zero when a model cannot be run.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
for (const c of JSON.parse(await readFile(process.argv[2], "utf8"))) {
  const session = await ort.InferenceSession.create(await readFile(c.model));
  const { output } = await session.run({ input: new ort.Tensor("float32", Float32Array.from(c.x), c.shape) });
  if (output.data.length !== c.y.length) throw new Error(`${c.name}: ${output.data.length} outputs and not ${c.y.length}`);
  const errors = c.y.map((y, i) => Math.abs(output.data[i] - y) / Math.max(1, Math.abs(y)));
  if (errors.some(Number.isNaN)) throw new Error(`${c.name}: an output is not a number`);
  console.log(JSON.stringify({ name: c.name, error: Math.max(...errors) }));
}
