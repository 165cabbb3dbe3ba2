"""Formulas: well-formed, true to their LaTeX, quick the second time."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from roadmap.render.engine_js import Engine
from roadmap.render.math import Math
from roadmap.render.mathml import core_mathml, styled

FORMULAS = {
    r"\operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}+M\right)V": "softmax(QK⊤dk+M)V",
    r"-\frac{1}{N}\sum_{i=1}^{N}\log p_\theta(x_i\mid x_{<i})": "−1N∑i=1Nlogpθ(xi∣x<i)",
    r"\frac{\hat m_t}{\sqrt{\hat v_t}+\epsilon}+\lambda\theta_{t-1}": "m^tv^t+ϵ+λθt−1",
    r"\begin{pmatrix}\cos m\theta&-\sin m\theta\\ 0&1\end{pmatrix}": "(cosmθ−sinmθ01)",
    r"\mathbb{E}_{x\sim\mathcal{D}}\left[\log\sigma(\beta r)\right]": "𝔼x∼𝒟[logσ(βr)]",
    r"L(N,D)=E+\frac{A}{N^\alpha}+\frac{B}{D^\beta}": "L(N,D)=E+ANα+BDβ",
    r"\frac{x_i}{\sqrt{\frac1d\sum_j x_j^2+\varepsilon}}g_i": "xi1d∑jxj2+εgi",
    r"M_{ij}=\begin{cases}0&j\le i\\-\infty&j>i\end{cases}": "Mij={0j≤i−∞j>i",
    r"\begin{aligned}H(X)&=-\sum_x p(x)\\&\le\log_2|\mathcal{X}|\end{aligned}": (
        "H(X)=−∑xp(x)≤log2|𝒳|"
    ),
    r"\mathbf{W}\in\mathbb{R}^{d\times V}": "𝐖∈ℝd×V",
    r"\underset{\theta}{\operatorname{arg\,min}}\;\mathrm{KL}(p\,\|\,q)": "argminθKL(p‖q)",
    r"\text{bits per byte}=\frac{\text{nats}}{\ln 2\cdot n}": "bits per byte=natsln2⋅n",
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def math() -> Iterator[Math]:
    with Math() as started:
        yield started


def drawing(img: str) -> ET.Element:
    data = re.search(r"base64,([^\"]+)\"", img)
    assert data
    return ET.fromstring(base64.b64decode(data[1]))


def em(img: str, name: str) -> float:
    found = re.search(rf"[\";]{name}:(-?[\d.]+)em", img)
    assert found
    return float(found[1])


@pytest.mark.parametrize("tex", FORMULAS)
@pytest.mark.parametrize("display", [False, True])
def test_mathml_is_well_formed_core_and_says_the_formulas_signs_in_order(
    math: Math, tex: str, display: bool
) -> None:
    root = ET.fromstring(math.mathml(tex, display))
    assert root.tag == "math"
    assert root.get("display") == ("block" if display else None)
    said = "".join(root.itertext()).replace("\u2061", "").replace("\xa0", " ")
    assert said == FORMULAS[tex]
    for element in root.iter():
        assert element.get("mathvariant") in (None, "normal")
        assert not {"columnalign", "columnspacing", "rowspacing"} & set(element.attrib)
        assert not [name for name in element.attrib if name.startswith("data-")]


@pytest.mark.parametrize("tex", FORMULAS)
@pytest.mark.parametrize("display", [False, True])
def test_the_picture_is_well_formed_reads_as_its_latex_and_has_its_drawings_shape(
    math: Math, tex: str, display: bool
) -> None:
    img = math.svg(tex, display)
    alt = re.search(r'alt="([^"]*)"', img)
    assert alt
    assert unescape(alt[1]) == f"Formula: {tex}"
    svg = drawing(img)
    assert svg.tag == f"{SVG}svg"
    assert "currentColor" not in ET.tostring(svg, encoding="unicode")
    assert not [n for e in svg.iter() for n in e.attrib if n.startswith("data-")]
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    assert em(img, "width") / em(img, "height") == pytest.approx(width / height, rel=0.01)


def test_the_picture_sits_on_the_line_as_deep_as_its_letters_reach_below_it(math: Math) -> None:
    assert em(math.svg("x", display=False), "vertical-align") == pytest.approx(0, abs=0.02)
    deep = em(math.svg("p", display=False), "vertical-align")
    assert -0.25 < deep < -0.15
    assert em(math.svg(r"\frac{a}{b}", display=True), "vertical-align") < 2 * deep


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        (r"\frac{a", "Missing close brace"),
        (r"\nosuch", "Undefined control sequence"),
        ("a_b_c", "Double subscript"),
        (r"\begin{aligned} x", "aligned"),
        (r"\left( x", r"\left"),
        (r"\newcommand{\a}{\a\a}\a", "recursive"),
        (r"x\tag{1}", "equation numbers"),
    ],
)
def test_a_wrong_formula_raises_the_typesetters_message_in_one_line(
    math: Math, tex: str, said: str
) -> None:
    for draw in (math.mathml, math.svg):
        with pytest.raises(ValueError, match=re.escape(said)) as caught:
            draw(tex, display=True)
        assert "\n" not in str(caught.value)


def test_a_command_defined_in_one_formula_is_unknown_in_the_next(math: Math) -> None:
    assert "ZZ" in "".join(
        ET.fromstring(math.mathml(r"\newcommand{\z}{ZZ}\z", display=False)).itertext()
    )
    with pytest.raises(ValueError, match="Undefined"):
        math.mathml(r"\z", display=False)


def test_what_is_kept_is_read_again_without_the_typesetter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Math(tmp_path) as first:
        made = [d("x^2", b) for d in (first.mathml, first.svg) for b in (False, True)]
    assert len(set(made)) == 4 or made[2] == made[3]

    def refuse(*_: object) -> str:
        raise AssertionError("the engine was started")

    monkeypatch.setattr(Engine, "call", refuse)
    second = Math(tmp_path)
    assert [d("x^2", b) for d in (second.mathml, second.svg) for b in (False, True)] == made


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"\xff" + raw,
        lambda raw: raw.replace(b"<mn>2<", b"<mn>3<"),
    ],
)
def test_a_kept_formula_that_was_damaged_is_made_again(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    with Math(tmp_path) as first:
        made = first.mathml("x^2", display=False)
    for kept in tmp_path.iterdir():
        whole = kept.read_bytes()
        assert damage(whole) != whole
        kept.write_bytes(damage(whole))
    with Math(tmp_path) as second:
        assert second.mathml("x^2", display=False) == made


@pytest.mark.parametrize(
    "variant",
    ["bold", "italic", "bold-italic", "double-struck", "script", "bold-script", "fraktur",
     "bold-fraktur", "sans-serif", "bold-sans-serif", "sans-serif-italic",
     "sans-serif-bold-italic", "monospace"],
)  # fmt: skip
def test_every_styled_letter_is_another_sign_that_unicode_says_is_the_same_letter(
    variant: str,
) -> None:
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":
        made = styled(letter, variant)
        assert made != letter
        assert len(made) == 1
        assert unicodedata.normalize("NFKC", made) == letter


def test_styled_greek_digits_and_other_signs() -> None:
    assert [styled(c, "bold") for c in "θΘ∇ϵ1"] == ["𝛉", "𝚯", "𝛁", "𝛜", "𝟏"]
    assert styled("θ", "bold-italic") == "𝜽"
    assert [styled(c, "double-struck") for c in "1R+é"] == ["𝟙", "ℝ", "+", "é"]


def spaces(mathml: str) -> str:
    """The formula's signs, with a blank where a space of its own is asked for."""
    root = ET.fromstring(core_mathml(f"<math>{mathml}</math>"))
    return "".join(" " if e.tag == "mspace" else e.text or "" for e in root.iter())


def test_a_function_stands_apart_from_what_precedes_it_unless_that_is_a_sign() -> None:
    log = "<mi>log</mi><mo>\u2061</mo><mi>x</mi>"
    assert spaces(f"<mi>b</mi>{log}") == "b log\u2061x"
    assert spaces(f"<mo>+</mo>{log}") == "+log\u2061x"
    assert spaces(f"<mo>)</mo>{log}") == ") log\u2061x"


def test_spaces_are_tex_s_none_in_scripts_and_at_bars_a_thin_one_after_a_function(
    math: Math,
) -> None:
    def sides(tex: str, sign: str) -> list[tuple[str | None, str | None]]:
        root = ET.fromstring(math.mathml(tex, display=False))
        return [(m.get("lspace"), m.get("rspace")) for m in root.iter("mo") if m.text == sign]

    assert sides("x_{i<j}", "<") == [("0", "0")]
    assert sides("i<j", "<") == [(None, None)]
    assert sides("|x|", "|") == [("0", "0")] * 2
    assert sides(r"\log x", "\u2061") == [(None, "0.167em")]
    assert sides(r"\log(x)", "\u2061") == [(None, "0")]


def test_a_minus_after_a_relation_belongs_to_its_number() -> None:
    def forms(mathml: str) -> list[str | None]:
        root = ET.fromstring(core_mathml(f"<math>{mathml}</math>"))
        return [m.get("form") for m in root.iter("mo") if m.text == "−"]

    assert forms("<mi>a</mi><mo>=</mo><mo>−</mo><mn>1</mn>") == ["prefix"]
    assert forms("<mi>a</mi><mo>−</mo><mn>1</mn>") == [None]
    assert forms("<mo>)</mo><mo>−</mo><mn>1</mn>") == [None]


def test_cells_keep_the_alignment_of_their_columns(math: Math) -> None:
    root = ET.fromstring(math.mathml(r"\begin{aligned}a&=b\\c&=d\end{aligned}", display=True))
    aligned = [re.findall(r"text-align:(\w+)", cell.get("style", "")) for cell in root.iter("mtd")]
    assert aligned == [["right"], ["left"]] * 2
