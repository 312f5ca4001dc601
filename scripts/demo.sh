#!/bin/sh
# Three questions answered from real text: a label for every word, a label for the whole, a new sequence.
# Everything is written below demo/; what is already there is kept, so the demo can be stopped and started again.
set -eu
out=${1:-demo}
mkdir -p "$out"

show() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }
data() { [ -d "$out/data/$1" ] || show headway data get "$1" "$out/data/$1" --fetch; }
learn() { # NAME DATA SECONDS SETTINGS ...
    name=$1 set=$2 seconds=$3
    shift 3
    [ -f "$out/$name/results.json" ] ||
        show headway train "$out/data/$set" --out "$out/$name" --resume --training.time_limit "$seconds" "$@"
}

# Models small enough for a minute each; without these settings headway takes larger ones, and longer.
echo "1 of 3: N -> N, a part of speech for every word of Chinese news (People's Daily)"
data people_daily
learn tagger people_daily 75s --model.encoder.width 128 --training.tokens 3072
show headway predict "$out/tagger" --text "北京 是 中国 的 首都 。"

printf '\n%s\n' "2 of 3: N -> 1, is a film liked? (Rotten Tomatoes)"
data rotten_tomatoes
learn critic rotten_tomatoes 25s
show headway predict "$out/critic" --scores --text "a warm , funny and wise film ." --text "two hours that feel like four ."

printf '\n%s\n' "3 of 3: N -> N', the sounds of a spelled word, one after another (CMUdict)"
data cmudict
learn speaker cmudict 115s --model.encoder.layers 2 --model.encoder.width 128 --model.encoder.hidden 512 \
    --training.tokens 1024 --training.learning_rate 4e-3
show headway predict "$out/speaker" --text transformer --text attention --text headway --nbest 2

printf '\n%s\n' "Look at $out/tagger/report.html, and try: headway predict $out/speaker --text yourname"
