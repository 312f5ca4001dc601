"""The server as its clients meet it: every address, answers that are the Predictor's, and every refusal."""

import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from served import events, held, post, sentence, serving, until

from headway.batch import as_json
from headway.predictor import Predictor
from headway.serve.edge import Door
from headway.serve.keys import Keys
from headway.serve.logs import LOG, Lines


@pytest.fixture(scope="module")
def server(runs):
    with serving({"speller": runs("transduce"), "tagger": runs("tag")}, [runs.folder]) as made:
        yield made


@pytest.fixture(scope="module")
def speller(runs):
    return Predictor(runs("transduce"))


def near(found, expected):
    """Equal, and numbers up to what the order of a sum changes."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        return all(near(found[name], expected[name]) for name in expected)
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(near, found, expected))
    return found == pytest.approx(expected, abs=1e-4) if isinstance(expected, float) else found == expected


def plain(predictor, inputs, **how):
    examples, _ = predictor.asked(inputs)
    return [as_json(*pair) for pair in zip(examples, predictor.predict(inputs, **how), strict=True)]


HOWS = [
    {},
    {"scores": True},
    {"nbest": 3},
    {"mode": "beam", "beam": 3, "length_penalty": 0.0, "scores": True},
    {"mode": "sample", "temperature": 1.5, "top_k": 6, "sampling_seed": 3},
    {"mode": "verify", "scores": True},
    {"alignments": True, "limit": 3},
    {"prefix": ["a", "bb", "c"], "scores": True},
    {"trace": True},
]


@pytest.mark.parametrize("how", HOWS, ids=lambda how: " ".join(how) or "plain")
def test_it_answers_what_the_predictor_does(how, server, speller):
    inputs = ["abc", "gfedcba", "h"]
    assert near(server.answers(inputs, model="speller", **how), plain(speller, inputs, **how))


def test_texts_and_lists_of_words_are_tagged(server):
    first, second = server.answers(["ant bee", ["cat", "dog"]], model="tagger", scores=True)
    assert first["elements"] == ["ant", "bee"] and len(first["labels"]) == len(first["scores"]) == 2
    assert second["elements"] == ["cat", "dog"] and second["source"] == ["cat", "dog"]


def test_what_is_served_is_told(server):
    told = server.http.get("/v1/models").json()
    speller, tagger = told["models"]
    assert (speller["name"], speller["task"], speller["input"], speller["streams"]) == (
        "speller", "transduce", "text", True,
    )  # fmt: skip
    assert speller["modes"][0] == "greedy" and tagger["modes"] == ["direct"] and "A" in tagger["labels"]
    assert told["limits"]["inputs"] == 256
    assert server.ask(["abc"], model="speller").json()["version"] == speller["version"]


def test_attention_is_given_as_a_view(server):
    (answer,) = server.answers(["abc"], model="speller", attention=True, layers=[0], heads=[1])
    (cross,) = [one for one in answer["view"]["maps"] if one["part"] == "cross"]
    assert cross["heads"] == [1] and cross["asked"] == ["a", "b", "c"]
    for row in cross["weights"][0][0]:
        assert sum(row) == pytest.approx(1, abs=1e-4)


def test_a_stream_gives_every_token_and_then_the_answer(server):
    inputs = ["abcd", "gh"]
    told = events(server.ask(inputs, model="speller", stream=True, scores=True))
    answers = server.answers(inputs, model="speller", scores=True)
    assert told[-1][0] == "done"
    for number, answer in enumerate(answers):
        tokens = [data for name, data in told if name == "token" and data["input"] == number]
        assert [data["piece"] for data in tokens] == answer["tokens"]
        assert [data["position"] for data in tokens] == list(range(len(tokens)))
        assert "".join(data["text"] for data in tokens) == answer["text"]
        (whole,) = [data for name, data in told if name == "answer" and data["input"] == number]
        assert near(whole, {"input": number, **answer})


def test_a_stream_of_drawn_tokens_is_the_drawn_answer(server):
    how = {"model": "speller", "mode": "sample", "sampling_seed": 5, "temperature": 2.0}
    told = events(server.ask(["abcd"], stream=True, **how))
    assert [data["piece"] for name, data in told if name == "token"] == server.answers(["abcd"], **how)[0]["tokens"]


def test_a_stream_of_labels_gives_whole_answers(server):
    told = events(server.ask(["ant", "bee"], model="tagger", stream=True))
    assert [name for name, _ in told] == ["answer", "answer", "done"]


def test_answers_do_not_depend_on_who_asks_beside(server, speller):
    """Many clients at once, each with another question; each gets what it gets alone."""
    asked = [(["abcdefgh"[: 1 + n % 8], "h" * (1 + n % 5)], HOWS[n % len(HOWS)]) for n in range(9)]
    asked = [(inputs, {k: v for k, v in how.items() if k != "prefix"}) for inputs, how in asked]
    with ThreadPoolExecutor(9) as clients:
        found = list(clients.map(lambda one: server.answers(one[0], model="speller", **one[1]), asked))
    for (inputs, how), answers in zip(asked, found, strict=True):
        assert near(answers, plain(speller, inputs, **how))


def test_requests_share_batches_and_a_long_one_does_not_hold_up_others(runs):
    with serving({"speller": runs("transduce")}) as server, ThreadPoolExecutor(9) as clients:
        batcher, order = server.house.served["speller"].batcher, []
        batcher.batch = 60.0  # as of a slow model: the next pieces of the long one are due later
        with held(server):
            long = clients.submit(server.answers, ["abc"] * 200)
            until(lambda: len(batcher.waiting) == 136)  # its first batch is taken
            short = [clients.submit(server.answers, ["ab"]) for _ in range(8)]
            for one in (long, *short):
                one.add_done_callback(order.append)
            until(lambda: len(batcher.waiting) == 144)
        assert [len(one.result()) for one in short] == [1] * 8 and len(long.result()) == 200
        assert order[-1] is long
        shared = [line for line in server.http.get("/metrics").text.splitlines() if "shared_batches_total{" in line]
        assert float(shared[0].split()[-1]) >= 1


def test_what_is_asked_wrongly_fails_alone(server):
    """A bad request in the middle of good ones is refused, and takes none with it."""

    def one(n):
        return server.ask(["abc"], model="speller", **({"prefix": "a", "mode": "beam", "nbest": 9} if n % 2 else {}))

    with ThreadPoolExecutor(8) as clients:
        assert {found.status_code for found in clients.map(one, range(16))} == {200}


REFUSED = [
    ({"inputs": ["a"]}, 422, "several models are served: say which by `model`: speller, tagger"),
    ({"inputs": ["a"], "model": "../speller"}, 422, "no model called '../speller'; there are: speller, tagger"),
    ({"inputs": ["a"], "model": "spelle"}, 422, "Did you mean 'speller'?"),
    ({"inputs": [], "model": "speller"}, 422, "inputs: List should have at least 1 item"),
    ({"model": "speller"}, 422, "inputs: Field required"),
    ({"inputs": "a", "model": "speller"}, 422, "inputs: Input should be a valid array"),
    ({"inputs": [3], "model": "speller"}, 422, "input 0: a text, or a list of words is expected, and not 3"),
    ({"inputs": ["a", {"a": 1}], "model": "speller"}, 422, "input 1: a text"),
    ({"inputs": [["a", 1]], "model": "speller"}, 422, "input 0: a text"),
    ({"inputs": ["a"] * 257, "model": "speller"}, 422, "257 inputs, and one request may have 256"),
    ({"inputs": ["a" * 20_001], "model": "speller"}, 422, "20,001 characters, and one may have 20,000"),
    ({"inputs": ["a"], "model": "speller", "nbset": 1}, 422, "no field 'nbset'; did you mean 'nbest'?"),
    ({"inputs": ["a"], "model": "speller", "nbest": "3"}, 422, "nbest: Input should be a valid integer"),
    ({"inputs": ["a"], "model": "speller", "nbest": 33}, 422, "nbest: Input should be less than or equal to 32"),
    ({"inputs": ["a"], "model": "speller", "limit": 5000}, 422, "limit: Input should be less than or equal to 1024"),
    ({"inputs": ["a"], "model": "speller", "mode": "gredy"}, 422, "no mode called 'gredy'"),
    ({"inputs": ["a"], "model": "speller", "mode": "nat"}, 422, "needs a draft"),
    ({"inputs": ["a"], "model": "speller", "temperature": 0.5}, 422, "temperature is of mode sample"),
    ({"inputs": ["a"], "model": "speller", "prefix": ["a", "b"]}, 422, "2 prefixes for 1 inputs"),
    ({"inputs": ["a"], "model": "tagger", "nbest": 2}, 422, "an n-best list is for new sequences"),
    ({"inputs": ["a"], "model": "speller", "layers": [0]}, 422, "ask for attention, too"),
    ({"inputs": ["a"], "model": "speller", "attention": True, "layers": [9]}, 422, "9"),
    ({"inputs": ["a"] * 17, "model": "speller", "stream": True}, 422, "17 inputs, and one stream has at most 16"),
    ({"inputs": ["a"], "model": "speller", "stream": True, "attention": True}, 422, "a stream gives no attention"),
]  # fmt: skip


@pytest.mark.parametrize("asked, status, said", REFUSED, ids=lambda one: str(one)[:50])
def test_it_refuses_with_a_sentence(asked, status, said, server):
    assert said in sentence(server.http.post("/v1/predict", json=asked), status)


BODIES = [
    (b"", "Invalid JSON"),
    (b"{", "Invalid JSON"),
    (b"\xff\xfe\x00", "Invalid JSON"),
    (b"[" * 100_000, "recursion"),
    (b'{"inputs": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "recursion"),
    (b'{"inputs": ["\\ud800"]}', "hex escape"),
    (b'{"inputs": ["a"], "temperature": 1e999}', "finite"),
    (b'{"inputs": ["a"], "temperature": NaN}', "finite"),
    (b'{"inputs": ["a"], "nbest": ' + b"9" * 5000 + b"}", "out of range"),
    (b'"text"', "object"),
    (b"null", "object"),
]


@pytest.mark.parametrize("body, said", BODIES, ids=range(len(BODIES)))
def test_what_is_no_request_is_refused(body, said, server):
    headers = {"content-type": "application/json"}
    assert said in sentence(server.http.post("/v1/predict", content=body, headers=headers), 422)


def test_of_another_type_is_refused(server):
    send = server.http.post
    assert "application/json" in sentence(send("/v1/predict", content=b"{}"), 415)
    plain = {"content-type": "text/plain"}  # what another site's page can send without asking
    assert "text/plain" in sentence(send("/v1/predict", content=b'{"inputs": ["a"]}', headers=plain), 415)
    form = {"file": ("a.wav", b"RIFF")}
    assert "multipart/form-data" in sentence(send("/v1/predict", files=form), 415)
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    assert "never unpacked" in sentence(send("/v1/predict", content=b"\x1f\x8b", headers=packed), 415)
    sound = {"content-type": "audio/wav"}
    assert "speller reads text" in sentence(send("/v1/predict?model=speller", content=b"RIFF", headers=sound), 415)
    query = server.http.post("/v1/predict?mode=beam", json={"inputs": ["a"], "model": "speller"})
    assert "options stand in it" in sentence(query, 422)


def test_other_addresses(server):
    get = server.http.get
    assert get("/healthz").json() == {"status": "alive"} and get("/readyz").json() == {"status": "ready"}
    assert "POST /v1/predict" in get("/").text and get("/").headers["content-type"].startswith("text/html")
    assert "there is nothing at /nothing" in sentence(get("/nothing"), 404)
    assert "use POST" in sentence(get("/v1/predict"), 405)
    for path in ("/..%2f..%2fetc/passwd", "/%2e%2e/etc/passwd", "/page/../../app.py", "/v1/models/..", "//etc/passwd"):
        assert sentence(get(path), 404)


def test_headers_let_a_browser_do_little(server):
    headers = server.http.get("/").headers
    assert (
        "default-src 'none'" in headers["content-security-policy"]
        and "unsafe" not in headers["content-security-policy"]
    )
    assert headers["x-content-type-options"] == "nosniff" and "access-control-allow-origin" not in headers
    assert "server" not in headers and len(headers["x-request-id"]) == 16


def test_it_goes_by_its_own_names_only(server):
    """A page that has its own name lead to this machine gets no answer (DNS rebinding)."""
    assert sentence(server.http.get("/v1/models", headers={"host": "evil.example"}), 421)
    assert server.http.get("/v1/models", headers={"host": "localhost:1"}).status_code == 200


def test_meters_count_and_hold_nothing_that_clients_sent(server):
    server.http.get("/surely-not-there")
    server.ask(["sesame"], model="no-such-model")
    server.ask(["sesame"], model="speller")
    text = server.http.get("/metrics").text
    assert 'headway_requests_total{method="POST",route="/v1/predict",status="422"}' in text
    assert 'headway_batch_seconds_count{model="speller"}' in text and "headway_waiting_inputs" in text
    assert "sesame" not in text and "surely-not-there" not in text and "no-such-model" not in text


def test_logs_are_lines_of_json_without_inputs(server, monkeypatch):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Lines())
    monkeypatch.setattr(LOG, "handlers", [handler])
    monkeypatch.setattr(LOG, "level", logging.INFO)
    LOG.manager._clear_cache()
    server.ask(["sesame"], model="speller")
    server.http.get("/%1b[31mred")
    until(lambda: written.getvalue().count("\n") == 2)
    predicted, lost = map(json.loads, written.getvalue().splitlines())
    assert (predicted["status"], predicted["inputs"], predicted["model"]) == (200, 1, "speller")
    assert predicted["route"] == "/v1/predict" and predicted["milliseconds"] > 0 and predicted["client"] == "127.0.0.1"
    assert lost["route"] == "other" and lost["status"] == 404
    assert "sesame" not in written.getvalue() and "\x1b" not in written.getvalue()
    LOG.warning("a \x1b[31mred\n thing")
    assert json.loads(written.getvalue().splitlines()[-1])["event"] == "a \\x1b[31mred\\n thing"


def test_openapi_shows_every_address_with_examples(server):
    told = server.http.get("/openapi.json").json()
    assert set(told["paths"]) == {
        "/v1/models", "/v1/models/{name}/card", "/v1/models/{name}/metrics", "/v1/predict",
        "/v1/runs", "/v1/runs/events", "/v1/runs/live",
        "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    predict = told["paths"]["/v1/predict"]["post"]
    json_body = predict["requestBody"]["content"]["application/json"]
    assert "audio/wav" in predict["requestBody"]["content"] and {"413", "422", "429", "503", "504"} <= set(
        predict["responses"]
    )
    for example in json_body["examples"].values():
        asked = example["value"]
        found = server.http.post("/v1/predict", json={**asked, "model": "speller"})
        assert found.status_code == (
            200 if isinstance(asked["inputs"][0], str) or len(asked["inputs"][0]) == 3 else 422
        )


# -------------------------------------------------------------------------------------------------------------- limits


def test_a_body_is_counted_while_it_comes(runs):
    with serving({"speller": runs("transduce")}, body=10_000, in_hand=40_000) as server:
        headers = {"content-type": "application/json"}
        told = server.http.post("/v1/predict", content=b'"' + b"a" * 10_000, headers=headers)
        assert "0.00953674 MiB, and this one has more" in sentence(told, 413)
        pieces = (b"a" * 1000 for _ in range(11))  # chunked: no length is told before
        assert sentence(server.http.post("/v1/predict", content=pieces, headers=headers), 413)
        assert server.answers(["abc"])


def test_a_full_queue_and_a_greedy_client_are_refused_at_once(runs):
    limits = {"queue": 300, "inputs": 200, "per_client": 3}
    with serving({"speller": runs("transduce")}, **limits) as server, ThreadPoolExecutor(4) as clients:
        batcher = server.house.served["speller"].batcher
        with held(server):
            first = clients.submit(server.ask, ["a"] * 200)
            until(lambda: len(batcher.waiting) == 136)  # a batch of it is taken
            second = clients.submit(server.ask, ["a"] * 150)
            until(lambda: len(batcher.waiting) == 286)
            full = server.ask(["a"] * 20)
            assert "286 inputs wait already" in sentence(full, 503) and int(full.headers["retry-after"]) >= 1
            third = clients.submit(server.ask, ["a"])
            until(lambda: len(batcher.waiting) == 287)
            many = server.ask(["a"])
            assert "3 requests of yours" in sentence(many, 429) and many.headers["retry-after"] == "1"
            assert server.http.get("/healthz").status_code == 200
        assert [one.result().status_code for one in (first, second, third)] == [200] * 3


def test_what_takes_too_long_is_given_up(runs):
    with serving({"speller": runs("transduce")}, seconds=0.2) as server:
        batcher = server.house.served["speller"].batcher
        with held(server):
            assert "no answer within 0.2 s" in sentence(server.ask(["abc"]), 504)
            assert events(server.ask(["abc"], stream=True))[-1][1]["status"] == 504
        until(lambda: not batcher.waiting)
        until(lambda: server.ask(["abc"]).status_code == 200)


def test_who_leaves_frees_what_was_done_for_them(runs):
    with serving({"speller": runs("transduce")}) as server:
        inside = server.house.meters.inside._value.get
        with held(server):
            for _ in range(2):  # the first is taken, the second waits
                with server.raw() as client:
                    client.sendall(post(json.dumps({"inputs": ["abc"], "limit": 1000}).encode()))
                    until(lambda: inside() == 1)
                until(lambda: inside() == 0)
        assert server.answers(["abc"]) and "headway_disconnects_total 2.0" in server.http.get("/metrics").text


@pytest.mark.long
def test_keys_are_needed_where_there_are_some(runs):
    door = Door(Keys({"ann": "a" * 20, "bob": "b" * 20}))
    with serving({"speller": runs("transduce")}, door=door) as server:
        get = server.http.get
        paths = [path for path, ways in get("/openapi.json", headers={"x-api-key": "a" * 20}).json()["paths"].items()]
        for path in {*paths, "/openapi.json"} - {"/healthz", "/readyz"}:
            for key in ({}, {"authorization": "Bearer " + "c" * 20}, {"x-api-key": "a" * 19}, {"x-api-key": b"\xe4"}):
                assert "a key is needed" in sentence(server.http.request("POST", path, headers=key), 401)
                assert sentence(get(path, headers=key), 401)
        assert get("/healthz").status_code == get("/readyz").status_code == get("/").status_code == 200
        assert get("/v1/models", headers={"authorization": "Bearer " + "b" * 20}).status_code == 200
        assert get("/v1/models", headers={"x-api-key": "a" * 20}).status_code == 200


def test_pages_of_other_sites_may_read_only_where_that_is_allowed(runs):
    with serving({"speller": runs("transduce")}, door=Door(cors=["https://good.example"])) as server:
        for site, allowed in (("https://good.example", True), ("https://evil.example", False)):
            told = server.http.get("/v1/models", headers={"origin": site}).headers
            assert (told.get("access-control-allow-origin") == site) is allowed


def test_it_ends_when_what_it_took_is_answered(runs):
    with serving({"speller": runs("transduce")}) as server, ThreadPoolExecutor(1) as clients:
        with held(server):
            taken = clients.submit(server.answers, ["abc"])
            until(lambda: server.house.meters.inside._value.get() == 1)
            server.house.draining = True
            assert "stopping" in sentence(server.http.get("/readyz"), 503)
            assert server.http.get("/healthz").headers["connection"] == "close"
            server.server.should_exit = True
            until(lambda: not server.server.servers[0].is_serving())
        assert taken.result()
        with pytest.raises(httpx.TransportError):
            server.http.get("/healthz")
