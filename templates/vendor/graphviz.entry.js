// Entry of graphviz.js: `layout(dot)` gives the geometry of a graph as Graphviz's JSON.
// It runs in bare V8: what a browser would add and the code asks for comes from shims.js.
import "./shims.js";
import { instance } from "@viz-js/viz";

let viz;

// WebAssembly compiles in the background: `layout` may be called once this is fulfilled.
globalThis.ready = instance().then((made) => {
  viz = made;
  return true;
});

globalThis.layout = (dot) => {
  const { status, output, errors } = viz.render(dot, { format: "json", engine: "dot" });
  if (status !== "success") throw new Error(errors.map((error) => error.message).join("; "));
  return output;
};
