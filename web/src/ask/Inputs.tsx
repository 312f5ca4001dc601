import { useRef, useState } from "preact/hooks";
import type { Model } from "../types";
import { useWords } from "../words";
import type { Given } from "./given";
import { GraphDrawn } from "./GraphDrawn";

/** What a model can be asked: a text, a sound, a graph, vectors. */
export function Inputs(props: { model: Model; given: Given; onGiven: (given: Given) => void; onSend: () => void }) {
  const words = useWords();
  const { model, given, onGiven } = props;
  const setText = (text: string) => onGiven({ ...given, text });
  if (model.input === "sound")
    return <SoundInput seconds={model.max_seconds} sound={given.sound} onSound={(sound) => onGiven({ ...given, sound })} />;
  if (model.input === "vectors")
    return (
      <>
        <label class="stack">
          {words.vectors}
          <textarea rows={5} spellcheck={false} aria-describedby="hint" value={given.text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <small class="quiet" id="hint">{words.vectorsHint}</small>
      </>
    );
  if (model.input === "graph")
    return (
      <>
        <GraphDrawn model={model} graph={given.graph} onGraph={(graph) => onGiven({ ...given, graph })} />
        <label class="stack">
          {words.smiles}
          <input type="text" spellcheck={false} autocapitalize="off" value={given.text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      </>
    );
  return (
    <>
      <label class="stack">
        {model.task === "tag" ? words.words : words.text}
        <textarea
          rows={2}
          aria-describedby="hint"
          value={given.text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            if (given.text.trim()) props.onSend();
          }}
        />
      </label>
      <small class="quiet" id="hint">{words.textHint}</small>
    </>
  );
}

/** A sound that is dropped or chosen, and can be heard. */
function SoundInput(props: { seconds: number | null; sound: File | null; onSound: (sound: File) => void }) {
  const words = useWords();
  const [over, setOver] = useState(false);
  const [address, setAddress] = useState("");
  const last = useRef("");
  function take(file: File | undefined) {
    if (!file) return;
    URL.revokeObjectURL(last.current);
    setAddress((last.current = URL.createObjectURL(file)));
    props.onSound(file);
  }
  return (
    <div
      class={`drop ${over ? "over" : ""}`}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); take(event.dataTransfer?.files[0]); }}
    >
      <label class="stack">
        {words.sound}
        <input type="file" accept="audio/*" aria-describedby="hint" onChange={(event) => take(event.currentTarget.files?.[0])} />
      </label>
      <small class="quiet" id="hint">{words.soundHint} {props.seconds !== null && words.soundAtMost(props.seconds)}</small>
      {props.sound && (
        <p class="row">
          <strong>{props.sound.name}</strong>
          <audio controls src={address} />
        </p>
      )}
    </div>
  );
}
