"""Study files that are wrong: one clear message that names file, section, key, value and cure."""

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from circuits import Refused
from hybrid.studies import Study, check, read

TFIM = '[problem]\nkind = "tfim"\nn = 4\n'
HEA = '[ansatz]\nkind = "hardware_efficient"\nlayers = 2\n'
H2 = '[problem]\nkind = "molecule"\ngeometry = "H 0 0 0; H 0 0 0.7"\n'
UCCSD = '[ansatz]\nkind = "uccsd"\n'

BAD = {
    "misspelt key": (
        TFIM + HEA + "[optimizer]\nmax_stepz = 5",
        "[optimizer] max_stepz = 5: unknown key; did you mean 'max_steps'?",
    ),
    "misspelt setting": (
        TFIM + HEA + "[optimizer]\nmemry = 5",
        "[optimizer] memry = 5: unknown key; did you mean 'memory'?",
    ),
    "setting of another optimizer": (
        TFIM + HEA + "[optimizer]\nlearning_rate = 0.1",
        "[optimizer] learning_rate = 0.1: unknown key",
    ),
    "setting of wrong type": (
        TFIM + HEA + '[optimizer]\nmemory = "many"',
        '[optimizer] memory = "many": optimizer lbfgs: memory must be a whole number, not ',
    ),
    "setting out of range": (TFIM + HEA + "[optimizer]\nmemory = -1", "[optimizer] memory = -1: "),
    "unknown inner optimizer": (
        TFIM + HEA + '[optimizer]\nkind = "multistart"\ninner = "lbgfs"',
        "[optimizer] inner = \"lbgfs\": unknown optimizer 'lbgfs'; did you mean 'lbfgs'?",
    ),
    "misspelt option of the inner optimizer": (
        TFIM + HEA + '[optimizer]\nkind = "basin-hopping"\ninner = { kind = "adam", learning_rat = 0.1 }',
        "option of optimizer adam: 'learning_rat'; did you mean 'learning_rate'?",
    ),
    "inner optimizer without a kind": (
        TFIM + HEA + '[optimizer]\nkind = "multistart"\n[optimizer.inner]\nmemory = 5',
        '[optimizer] inner = {"memory": 5}: inner must be the name of an optimizer, or a table of its kind and options',
    ),
    "option of the inner optimizer outside of it": (
        TFIM + HEA + '[optimizer]\nkind = "multistart"\nmemory = 5',
        "[optimizer] memory = 5: unknown key",
    ),
    "too small a population": (
        TFIM + HEA + '[optimizer]\nkind = "cma-es"\npopulation = 2',
        "[optimizer] population = 2: optimizer cma-es: population must be a whole number between 4 and",
    ),
    "misspelt section": (TFIM + HEA + "[optimiser]", "[optimiser]: unknown section; did you mean [optimizer]?"),
    "key of another section": (
        TFIM + HEA + "[run]\nmax_steps = 3",
        "[run] max_steps = 3: unknown key; it belongs to [optimizer]",
    ),
    "key outside": ("seed = 3\n" + TFIM + HEA, "seed = 3: unknown key outside of all sections; it belongs to [run]"),
    "missing section": (TFIM, "[ansatz]: missing; a study needs [problem] and [ansatz]"),
    "section that is none": ("problem = 3\n" + HEA, "problem = 3: must be a section [problem] with keys"),
    "missing kind": (
        "[problem]\nn = 4\n" + HEA,
        "[problem] kind: missing; must be one of heisenberg, maxcut, molecule",
    ),
    "unknown kind": (H2.replace("molecule", "molecul") + UCCSD, "unknown kind; did you mean 'molecule'?"),
    "kind of wrong type": ("[problem]\nkind = [1]\n" + HEA, "[problem] kind = [1]: unknown kind; known: 'heisenberg'"),
    "missing key": (
        '[problem]\nkind = "tfim"\n' + HEA,
        "[problem] n: missing; must be the number of sites, a whole number",
    ),
    "negative count": (
        TFIM.replace("4", "-4") + HEA,
        "[problem] n = -4: must be the number of sites, a whole number from 1",
    ),
    "absurd count": (TFIM.replace("4", "1000000000") + HEA, "[problem] n = 1000000000: must be"),
    "fraction for a count": (TFIM.replace("4", "4.0") + HEA, "[problem] n = 4.0: must be"),
    "boolean for a count": (TFIM.replace("4", "true") + HEA, "[problem] n = true: must be"),
    "string for a number": (TFIM + 'field = "1.0"\n' + HEA, '[problem] field = "1.0": must be a finite number'),
    "not a number": (TFIM + "field = nan\n" + HEA, "[problem] field = NaN: must be a finite number"),
    "infinite": (
        TFIM + HEA + "[optimizer]\naccuracy = inf",
        "[optimizer] accuracy = Infinity: must be a positive number",
    ),
    "zero accuracy": (TFIM + HEA + "[optimizer]\naccuracy = 0", "[optimizer] accuracy = 0: must be a positive number"),
    "edge of three": (TFIM + "edges = [[0, 1, 2]]\n" + HEA, "[problem] edges = [[0, 1, 2]]: must be pairs of sites"),
    "no source of a graph": ('[problem]\nkind = "maxcut"\n' + HEA, "[problem] edges: give either edges or path"),
    "missing file": (
        '[problem]\nkind = "pauli_terms"\npath = "a.txt"\n' + HEA,
        '[problem] path = "a.txt": no such file: ',
    ),
    "name of no file": ('[problem]\nkind = "pauli_terms"\npath = "%s"\n' % ("a" * 999) + HEA, "[problem] path = "),
    "missing xyz": (H2.replace("H 0 0 0; H 0 0 0.7", "a.xyz") + UCCSD, '[problem] geometry = "a.xyz": no such file: '),
    "unknown element": (
        H2.replace("H 0 0 0;", "Hx 0 0 0;") + UCCSD,
        '[problem] geometry = "Hx 0 0 0; H 0 0 0.7": unknown element',
    ),
    "negative bond length": (
        H2.replace("0.7", "-0.7") + UCCSD,
        "bond length -0.7 angstrom is negative; write the distance",
    ),
    "one number for a space": (
        H2 + "active_space = [2]\n" + UCCSD,
        "[problem] active_space = [2]: must be [electrons, orbitals]",
    ),
    "negative space": (
        H2 + "active_space = [2, -5]\n" + UCCSD,
        "[problem] active_space = [2, -5]: must be [electrons, orbitals]",
    ),
    "ansatz for another problem": (
        TFIM + UCCSD,
        '[ansatz] kind = "uccsd": needs a problem of kind "molecule", not "tfim"',
    ),
    "no layers": (TFIM + HEA.replace("2", "0"), "[ansatz] layers = 0: must be the number of layers"),
    "unknown optimizer": (TFIM + HEA + '[optimizer]\nkind = "lbgfs"', "did you mean 'lbfgs'?"),
    "unknown device": (TFIM + HEA + '[backend]\nname = "aer"\ndevice = "gpus"', "did you mean 'gpu'?"),
    "device of another backend": (TFIM + HEA + '[backend]\nname = "lightning"\ndevice = "gpu"', "device"),
    "unknown family of devices": (TFIM + HEA + '[backend]\nname = "ibn:fake_manila"', "did you mean 'ibm'?"),
    "unknown backend": (TFIM + HEA + '[backend]\nname = "lightnin"', "did you mean 'lightning'?"),
    "memory elsewhere": (
        TFIM + HEA + '[backend]\nname = "aer"\nmemory = "lean"',
        '[backend] memory = "lean": only name = "statevector" takes',
    ),
    "noise elsewhere": (
        TFIM + HEA + '[backend]\nnoise = "fake_manila"',
        '[backend] noise = "fake_manila": only name = "aer" or "braket" takes',
    ),
    "level elsewhere": (
        TFIM + HEA + '[backend]\nname = "statevector"\noptimization_level = 0',
        '[backend] optimization_level = 0: only name = "aer" or "aqt" or "braket" or "density" or "device" or "ibm" ',
    ),
    "unknown precision": (TFIM + HEA + '[backend]\nname = "aer"\nprecision = "duble"', "did you mean 'double'?"),
    "no shots": (
        TFIM + HEA + "[backend]\nshots = 0",
        "[backend] shots = 0: must be the shots for each measured circuit",
    ),
    "unknown label": (TFIM + HEA + '[run]\nlabel = "opn"', "did you mean 'open'?"),
    "negative seed": (TFIM + HEA + "[run]\nseed = -1", "[run] seed = -1: must be a whole number from 0"),
    "name with a folder": (TFIM + HEA + '[run]\nname = "../x"', '[run] name = "../x": must be letters'),
    "bad value late in the sweep": (
        TFIM + HEA.replace("2", '"{p}"') + "[sweep]\np = [1, 2, -3]",
        "(at p = -3): [ansatz] layers = -3: must be",
    ),
    "bond length late in the sweep": (
        H2.replace("0.7", "{r}") + UCCSD + "[sweep]\nr = [0.7, -0.7]",
        "(at r = -0.7): [problem] geometry",
    ),
    "string for a number in the sweep": (
        TFIM + HEA.replace("2", '"{p}"') + '[sweep]\np = ["1"]',
        '[ansatz] layers = "1": must be',
    ),
    "unknown variable": (
        TFIM + HEA.replace("2", '"{layrs}"') + "[sweep]\nlayers = [1]",
        "unknown sweep variable 'layrs'; did you mean 'layers'?",
    ),
    "no sweep": (TFIM + HEA.replace("2", '"{p}"'), '"{p}" is used, but there is no [sweep]'),
    "unused variable": (TFIM + HEA + "[sweep]\nr = [1]", '[sweep] r: is used nowhere; write "{r}"'),
    "variable by path": (
        TFIM + HEA + '[sweep]\n"problem.n" = [4]',
        '[sweep] "problem.n": must be a plain name; write "{r}"',
    ),
    "empty variable": (
        TFIM + HEA.replace("2", '"{p}"') + "[sweep]\np = []",
        "[sweep] p: must be a list of numbers or strings, not []",
    ),
    "infinite variable": (TFIM + HEA.replace("2", '"{p}"') + "[sweep]\np = [inf]", "[sweep] p: holds Infinity"),
    "twice the same": (TFIM + HEA.replace("2", '"{p}"') + "[sweep]\np = [1, 2, 1]", "[sweep] p: 1 stands there twice"),
    "huge grid": (
        TFIM.replace("4", '"{a}"')
        + 'field = "{b}"\n'
        + HEA.replace("2", '"{c}"')
        + "[sweep]\n"
        + "".join(f"{name} = {list(range(1, 101))}\n" for name in "abc"),
        "[sweep]: 1000000 points, more than 100000; split the study",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_message(case, tmp_path):
    text, message = BAD[case]
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(Refused) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_all_faults_at_once(tmp_path):
    with pytest.raises(Refused) as caught:
        check(tomllib.loads(TFIM + HEA + "[run]\nsede = 1\nlabel = 3\n"), path="x.toml")
    first, second = str(caught.value).splitlines()
    assert first.startswith("x.toml: [run] label = 3: must be")
    assert second == "x.toml: [run] sede = 1: unknown key; did you mean 'seed'?"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[problem\n", "not TOML: .*line 1"),
        (b"a = 1\nb = '\xff'\n", "line 2: not UTF-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"9" * 10_000, "not TOML"),
        (b"# long\n" * 200_000, "larger than 1 MiB"),
    ],
    ids=["syntax", "encoding", "nesting", "digits", "size"],
)
def test_file_that_is_no_study(content, message, tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(Refused, match=message):
        read(path)


def test_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "water.toml").write_text("")
    with pytest.raises(Refused, match=r"watr.toml: no such file; did you mean '.*water.toml'\?"):
        read(tmp_path / "watr.toml")
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path)


WORDS = st.sampled_from(
    [
        *(
            "problem",
            "ansatz",
            "optimizer",
            "backend",
            "run",
            "sweep",
            "kind",
            "n",
            "field",
            "edges",
            "geometry",
            "path",
        ),
        *("active_space", "layers", "max_steps", "accuracy", "name", "shots", "precision", "noise", "seed", "label"),
        *("memory", "topology", "coupling", "r"),
    ]
) | st.text(max_size=5)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats()
    | st.dates()
    | st.sampled_from(
        [
            *("tfim", "heisenberg", "maxcut", "molecule", "pauli_terms", "uccsd", "hardware_efficient", "qaoa", "file"),
            *("lbfgs", "adam", "auto", "aer", "open", "{r}", "{{r}}", "a{r}", ".", "a.xyz"),
        ]
    )
    | st.text(max_size=8)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4))
KEYS = st.dictionaries(WORDS, VALUES, max_size=3)
VALID = tomllib.loads(TFIM + HEA + "[optimizer]\n[backend]\n[run]\n[sweep]\n")


def outcome(data):
    """The study, or the refusal; any other error passes through."""
    try:
        return check(data, path="x.toml")
    except Refused as refusal:
        return refusal


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(WORDS, VALUES, max_size=6))
def test_any_table_is_refused_or_read(data):
    assert isinstance(outcome(data), Study) or str(outcome(data)).startswith("x.toml")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(VALID)), KEYS)
def test_any_key_is_refused_or_read(section, keys):
    data = VALID | {section: VALID[section] | keys}
    assert isinstance(outcome(data), Study) or str(outcome(data)).startswith("x.toml")
