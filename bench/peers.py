"""The other side of bench/peers.ts: sentence-transformers, which embeds all texts each time that it is told to.

    python peers.py torch|onnx MODEL TEXTS THREADS

MODEL is a directory that this program fills: a BERT of MiniLM's shape around the tokenizer and, for ONNX, the graph that lie in it.
PyTorch's weights are random, since none can be had without a hub; what it takes to multiply by them does not depend on them.
"""

import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
backend, model_dir, texts_path, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

import torch
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

torch.set_num_threads(threads)
config = BertConfig(
    vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, max_position_embeddings=512
)
config.architectures = ["BertModel"]
BertModel(config).save_pretrained(model_dir)
PreTrainedTokenizerFast(
    tokenizer_file=os.path.join(model_dir, "tokenizer.json"),
    unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]", mask_token="[MASK]", model_max_length=128,
).save_pretrained(model_dir)

options = {}
if backend == "onnx":
    import onnxruntime

    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = threads
    options = {"backend": "onnx", "model_kwargs": {"provider": "CPUExecutionProvider", "file_name": "onnx/model.onnx", "session_options": session_options}}
model = SentenceTransformer(model_dir, device="cpu", **options)
model.max_seq_length = 128
with open(texts_path, encoding="utf-8") as file:
    texts = json.load(file)

print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
