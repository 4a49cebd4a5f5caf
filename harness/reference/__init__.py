"""The reference model: a Llama-architecture transformer executed op by op in NumPy.

`ops` holds one function an equation, `model` the forward pass, `weights` the download, check and mapping of
the parameters, `tokenizer` text to ids and back, `engine` generation and scoring in batches.
"""
