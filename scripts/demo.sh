#!/bin/sh
# Three questions answered from real text: a label for every word, a new sequence, a label for the whole; this one also of
# sounds and of graphs, where their packages can be had.
# Everything is written below demo/; what is already there is kept, so the demo can be stopped and started again.
set -eu
out=${1:-demo}
mkdir -p "$out"

show() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }
there() { "$(dirname "$(command -v headway)")/python" -c "import $1" 2>/dev/null; }
data() { [ -d "$out/data/$1" ] || show headway data get "$1" "$out/data/$1" --fetch; }
together() { # NAME ...: the data sets at the same time, what each says in its turn; one that fails is tried again later
    for set; do data "$set" >"$out/$set.log" 2>&1 & done
    wait
    for set; do
        cat "$out/$set.log"
        rm "$out/$set.log"
    done
}
learn() { # NAME DATA SECONDS SETTINGS ...
    name=$1 set=$2 seconds=$3
    shift 3
    [ -f "$out/$name/results.json" ] ||
        show headway train "$out/data/$set" --out "$out/$name" --resume --training.time_limit "$seconds" "$@"
}

together people_daily rotten_tomatoes cmudict $(there soundfile && echo mandarin_tones) $(there rdkit && echo logp)

# Models small enough for a minute each; without these settings headway takes larger ones, and longer.
echo "1 of 5: N -> N, a part of speech for every word of Chinese news (People's Daily)"
data people_daily
learn tagger people_daily 72s --model.encoder.width 128 --training.tokens 3072
show headway predict "$out/tagger" --text "北京 是 中国 的 首都 。"

printf '\n%s\n' "2 of 5: N -> N', the sounds of a spelled word, one after another (CMUdict)"
data cmudict
learn speaker cmudict 80s --model.encoder.layers 2 --model.encoder.width 128 --model.encoder.hidden 512 \
    --training.tokens 512 --training.learning_rate 3e-3
show headway predict "$out/speaker" --text transformer --text attention --text headway --nbest 2

printf '\n%s\n' "3 to 5: N -> 1, one answer for a text, a sound, a graph; trained side by side, shown one after another ..."
critic() {
    data rotten_tomatoes
    learn critic rotten_tomatoes 30s --machine.threads 1
}
ear() {
    there soundfile && data mandarin_tones || { echo "left out: it takes soundfile, and apt, which has the recordings"; return; }
    learn ear mandarin_tones 30s --machine.threads 1 --model.input.pitch alone --model.encoder.layers 2 \
        --training.learning_rate 3e-3
}
chemist() {
    there rdkit && data logp || { echo "left out: it takes rdkit, and pip, which has the molecules"; return; }
    learn chemist logp 30s --machine.threads 1 --model.task.pooling sum --model.encoder.layers 2 --training.tokens 768 \
        --training.learning_rate 3e-3
}
trap 'trap - INT TERM; kill 0' INT TERM  # what works behind a script does not hear Ctrl-C by itself
critic >"$out/critic.log" 2>&1 & first=$!
ear >"$out/ear.log" 2>&1 & second=$!
chemist >"$out/chemist.log" 2>&1 & third=$!

end() { # PROCESS NAME: what it said, when it has ended
    wait "$1" || { cat "$out/$2.log"; exit 1; }
    cat "$out/$2.log"
}
printf '\n%s\n' "3 of 5: text -> 1, is a film liked? (Rotten Tomatoes)"
end $first critic
show headway predict "$out/critic" --scores --text "a warm , funny and wise film ." --text "two hours that feel like four ."

printf '\n%s\n' "4 of 5: sound -> 1, the tone of a Mandarin syllable; these four are one that training never heard (gcin-voice)"
end $second ear
sounds="$out/data/mandarin_tones/sounds"
[ ! -d "$out/ear" ] ||
    show headway predict "$out/ear" --scores "$sounds/ㄐㄧㄚ-5.ogg" "$sounds/ㄐㄧㄚ2-5.ogg" "$sounds/ㄐㄧㄚ3-5.ogg" "$sounds/ㄐㄧㄚ4-5.ogg"

printf '\n%s\n' "5 of 5: graph -> 1, how much a molecule prefers fat to water: ethanol, caffeine, DDT (chemicals)"
end $third chemist
[ ! -d "$out/chemist" ] ||
    show headway predict "$out/chemist" --text CCO --text "CN1C=NC2=C1C(=O)N(C)C(=O)N2C" --text "ClC(Cl)(Cl)C(c1ccc(Cl)cc1)c1ccc(Cl)cc1"

printf '\n%s\n' "Look at $out/tagger/report.html, and try: headway predict $out/speaker --text yourname"
