// Entry of mathjax.js: `mathml(tex, display)` and `svg(tex, display)` typeset one formula.
// A formula that MathJax cannot read throws its message: a page never shows a red box.
import { mathjax } from "mathjax-full/js/mathjax.js";
import { TeX } from "mathjax-full/js/input/tex.js";
import "mathjax-full/js/input/tex/base/BaseConfiguration.js";
import "mathjax-full/js/input/tex/ams/AmsConfiguration.js";
import "mathjax-full/js/input/tex/boldsymbol/BoldsymbolConfiguration.js";
import "mathjax-full/js/input/tex/newcommand/NewcommandConfiguration.js";
import "mathjax-full/js/input/tex/textmacros/TextMacrosConfiguration.js";
import { SVG } from "mathjax-full/js/output/svg.js";
import { liteAdaptor } from "mathjax-full/js/adaptors/liteAdaptor.js";
import { RegisterHTMLHandler } from "mathjax-full/js/handlers/html.js";
import { SerializedMmlVisitor } from "mathjax-full/js/core/MmlTree/SerializedMmlVisitor.js";
import { STATE } from "mathjax-full/js/core/MathItem.js";

const adaptor = liteAdaptor();
RegisterHTMLHandler(adaptor);

const output = new SVG({ fontCache: "none", internalSpeechTitles: false });

// New input per formula: a \newcommand or label of one must not reach the next.
const convert = (tex, options) => {
  const document = mathjax.document("", {
    InputJax: new TeX({
      packages: ["base", "ams", "boldsymbol", "newcommand", "textmacros"],
      formatError: (_, error) => {
        throw new Error(error.message);
      },
    }),
    OutputJax: output,
  });
  return document.convert(tex, options);
};

globalThis.ready = true;

globalThis.mathml = (tex, display) =>
  new SerializedMmlVisitor().visitTree(convert(tex, { display, end: STATE.CONVERT }));

globalThis.svg = (tex, display) =>
  adaptor.innerHTML(convert(tex, { display, em: 16, ex: 8, containerWidth: 1280 }));
