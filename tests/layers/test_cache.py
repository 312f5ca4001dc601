"""What step-by-step decoding keeps, against plain tensors that are concatenated, cut and indexed."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from comparing import close, randoms
from headway.layers.cache import Fixed, KeyValues, Past

H, K, Kv = 3, 5, 2

ACTIONS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 23)),
    st.tuples(st.just("crop"), st.integers(0, 40)),
    st.tuples(st.just("select"), st.lists(st.integers(0, 99), min_size=1, max_size=4)),
)


@given(st.lists(ACTIONS, max_size=12), st.integers(1, 3))
def test_any_order_of_append_crop_and_select_is_that_of_plain_tensors(actions, rows):
    kept = KeyValues()
    keys, values = torch.zeros(rows, H, 0, K), torch.zeros(rows, H, 0, Kv)
    for number, (action, how) in enumerate(actions):
        if action == "append":
            k, v = randoms((len(keys), H, how, K), (len(keys), H, how, Kv), seed=number)
            keys, values = torch.cat([keys, k], 2), torch.cat([values, v], 2)
            found = kept.append(k, v)
            assert found[0].equal(keys) and found[1].equal(values)
        elif action == "crop":
            keys, values = keys[:, :, :how], values[:, :, :how]
            kept.crop(how)
        else:
            which = torch.tensor(how) % len(keys)
            keys, values = keys[which], values[which]
            kept.select(which)
        assert kept.length == keys.shape[2]


@given(st.lists(ACTIONS, max_size=12), st.integers(1, 3), st.integers(0, 4))
def test_of_a_past_the_last_few_are_at_hand_and_cropping_goes_back_to_any_other(actions, rows, reach):
    kept, past = Past(reach), torch.zeros(rows, 0, K)
    for number, (action, how) in enumerate(actions):
        if action == "append":
            (x,) = randoms((len(past), how, K), seed=number)
            assert kept.append(x).equal(torch.cat([past[:, max(0, past.shape[1] - reach) :], x], 1))
            past = torch.cat([past, x], 1)
        elif action == "crop":
            past = past[:, :how]
            kept.crop(how)
        else:
            which = torch.tensor(how) % len(past)
            past = past[which]
            kept.select(which)
        assert kept.length == past.shape[1] and (kept.newest is None) == (kept.length == 0)
        assert kept.newest is None or kept.newest.equal(past[:, max(0, past.shape[1] - reach) :])


def test_after_everything_is_forgotten_other_rows_may_be_selected():
    kept, (x,) = Past(2), randoms((1, 3, K))
    kept.append(x)
    kept.crop(0)
    kept.select(torch.tensor([0, 0]))
    kept.append(x.expand(2, -1, -1))
    kept.crop(1)
    assert kept.newest is not None and kept.newest.equal(x[:, :1].expand(2, -1, -1))


def test_beyond_its_room_it_grows_and_keeps_what_it_has():
    kept, (k, v) = KeyValues(), randoms((2, H, 200, K), (2, H, 200, Kv))
    for i in range(200):
        found = kept.append(k[:, :, i : i + 1], v[:, :, i : i + 1])
    assert found[0].equal(k) and found[1].equal(v)


def test_it_grows_by_doubling_so_that_most_steps_copy_nothing():
    kept, (k, v) = KeyValues(), randoms((1, H, 1, K), (1, H, 1, Kv))
    buffers = {kept.append(k, v)[0].data_ptr() for _ in range(1000)}
    assert len(buffers) < 10


def test_what_was_returned_before_a_crop_is_overwritten_by_what_comes_after_it_and_not_before():
    kept, (k, v) = KeyValues(), randoms((1, H, 4, K), (1, H, 4, Kv))
    kept.append(k[:, :, :3], v[:, :, :3])
    kept.crop(1)
    keys, values = kept.append(k[:, :, 3:], v[:, :, 3:])
    close(keys, k[:, :, [0, 3]])
    close(values, v[:, :, [0, 3]])


def test_the_keys_of_a_memory_are_selected_and_never_cropped():
    k, v = randoms((3, H, 7, K), (3, H, 7, Kv))
    fixed = Fixed()
    fixed.select(torch.tensor([0]))  # before the first step there is nothing to select
    fixed.keys, fixed.values = k, v
    fixed.crop(2)
    fixed.select(torch.tensor([2, 0, 2, 1]))
    assert fixed.keys.equal(k[[2, 0, 2, 1]]) and fixed.values.equal(v[[2, 0, 2, 1]])


def test_the_type_of_the_numbers_is_kept():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        keys, values = KeyValues().append(*randoms((1, H, 2, K), (1, H, 2, Kv), dtype=dtype))
        assert keys.dtype == values.dtype == dtype
