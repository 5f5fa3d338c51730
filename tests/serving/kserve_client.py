"""Asks a server with KServe's own SDK, over REST and gRPC; run in an environment that has it."""

import asyncio
import sys

import numpy as np
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)


def request(name, z, binary):
    tensor = InferInput("z", list(z.shape), "FP32")
    tensor.set_data_from_numpy(z, binary_data=binary)
    return InferRequest(model_name=name, infer_inputs=[tensor])


async def main(url, address, name, given, found):
    z, answers = np.load(given), []
    grpc, rest = InferenceGRPCClient(address), InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await grpc.is_server_live()
    assert await grpc.is_model_ready(name)
    assert await rest.is_model_ready(url, name)
    for binary in (True, False):
        over_grpc = await grpc.infer(request(name, z, binary))
        over_rest = await rest.infer(url, request(name, z, binary), model_name=name)
        answers += [answer.outputs[0].as_numpy() for answer in (over_grpc, over_rest)]
    await grpc.close()
    np.save(found, np.stack(answers))


asyncio.run(main(*sys.argv[1:]))
