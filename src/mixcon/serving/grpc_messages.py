"""The messages of the Open Inference Protocol v2 for gRPC, as classes of protobuf.

They are declared here rather than generated: so they suit every version of protobuf, and, in a pool
of their own, they stand beside those of clients in one process.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["METHODS", "SERVICE", "message_class"]

_PACKAGE = "inference"
SERVICE = f"{_PACKAGE}.GRPCInferenceService"
METHODS = (
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    "ModelInfer",
)
"""Of each, the request is called NAMERequest, the answer NAMEResponse."""

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "double": _Field.TYPE_DOUBLE,
    "float": _Field.TYPE_FLOAT,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
}
# A word is a type, with * for many; a number skips field numbers, | makes a field one of a choice.
_MESSAGES: dict[str, str] = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "bool live",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "bool ready",
    "ModelReadyRequest": "string name, string version",
    "ModelReadyResponse": "bool ready",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "string name, string version, string* extensions",
    "ModelMetadataRequest": "string name, string version",
    "TensorMetadata": "string name, string datatype, int64* shape",
    "ModelMetadataResponse": "string name, string* versions, string platform, "
    "TensorMetadata* inputs, TensorMetadata* outputs",
    "InferParameter": "bool| bool_param, int64| int64_param, string| string_param, "
    "double| double_param, uint64| uint64_param",
    "InferTensorContents": "bool* bool_contents, int32* int_contents, int64* int64_contents, "
    "uint32* uint_contents, uint64* uint64_contents, float* fp32_contents, "
    "double* fp64_contents, bytes* bytes_contents",
    "Tensor": "string name, string datatype, int64* shape, parameters, "
    "InferTensorContents contents",
    "RequestedOutput": "string name, parameters",
    "ModelInferRequest": "string model_name, string model_version, string id, parameters, "
    "Tensor* inputs, RequestedOutput* outputs, bytes* raw_input_contents",
    "ModelInferResponse": "string model_name, string model_version, string id, parameters, "
    "Tensor* outputs, bytes* raw_output_contents",
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="mixcon/open_inference.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(filter(None, fields.split(", ")), 1):
            if field == "parameters":
                _add_parameters(message, number)
            else:
                _add(message, number, *field.split())
    return file


def _add(message: descriptor_pb2.DescriptorProto, number: int, kind: str, name: str) -> None:
    plain = kind.rstrip("*|")
    field = message.field.add(
        name=name,
        number=number,
        label=_Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL,
    )
    if plain in _TYPES:
        field.type = _TYPES[plain]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
    if kind.endswith("|"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0


def _add_parameters(message: descriptor_pb2.DescriptorProto, number: int) -> None:
    """``map<string, InferParameter> parameters``."""
    entry = message.nested_type.add(name="ParametersEntry")
    entry.options.map_entry = True
    _add(entry, 1, "string", "key")
    _add(entry, 2, "InferParameter", "value")
    message.field.add(
        name="parameters",
        number=number,
        label=_Field.LABEL_REPEATED,
        type=_Field.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.{message.name}.ParametersEntry",
    )


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
_CLASSES = message_factory.GetMessageClassesForFiles(["mixcon/open_inference.proto"], _POOL)


def message_class(name: str) -> Any:
    """The class of a message."""
    return _CLASSES[f"{_PACKAGE}.{name}"]
