"""How the double of TensorRT loads and runs an engine; its device is this machine's memory."""

# ruff: noqa: N802  # what answers for a class's method is called after both

from __future__ import annotations

import ctypes
import math


class Running:
    """What runtimes, engines and execution contexts answer, as `Class_method`."""

    def Runtime_deserialize_cuda_engine(self, runtime, data):
        if self.order.get("foreign"):
            logger = self.module.created[-1]
            logger.log(self.module.Logger.ERROR, self.order["foreign"])
            return None
        return self.make("ICudaEngine", tensors=self.order.get("tensors", {}))

    def ICudaEngine_refittable(self, _engine):
        return "weights" in self.order

    def Refitter_get_all_weights(self, _refitter):
        return self.order["weights"]

    def Refitter_get_missing_weights(self, _refitter):
        return self.order.get("missing", [])

    def Refitter_refit_cuda_engine(self, _refitter):
        return True

    def OnnxParserRefitter_refit_from_file(self, _parser, _path):
        return "refuses" not in self.order

    def OnnxParserRefitter_num_errors(self, _parser):
        return len(self.order.get("refuses", []))

    def OnnxParserRefitter_get_error(self, _parser, index):
        return self.make("ParserError", text=self.order["refuses"][index])

    def ParserError_desc(self, error):
        return error.state["text"]

    def ICudaEngine_create_serialization_config(self, _engine):
        return self.make("ISerializationConfig")

    def ICudaEngine_serialize_with_config(self, _engine, _config):
        return memoryview(b"refitted")

    def ICudaEngine_num_io_tensors(self, engine):
        return len(engine.state["tensors"])

    def ICudaEngine_get_tensor_name(self, engine, index):
        return list(engine.state["tensors"])[index]

    def ICudaEngine_get_tensor_mode(self, engine, name):
        return self.module.TensorIOMode[engine.state["tensors"][name]["mode"]]

    def ICudaEngine_get_tensor_dtype(self, engine, name):
        return self.module.DataType[engine.state["tensors"][name].get("dtype", "FLOAT")]

    def ICudaEngine_get_tensor_shape(self, engine, name):
        return tuple(engine.state["tensors"][name]["shape"])

    def ICudaEngine_num_optimization_profiles(self, engine):
        tensors = iter(engine.state["tensors"].values())
        return len(next(tensors, {"profiles": [None]})["profiles"])

    def ICudaEngine_get_engine_stat(self, _engine, stat):
        assert "TOTAL_WEIGHTS_SIZE" == stat.name
        return 5000

    def ICudaEngine_get_device_memory_size_for_profile_v2(self, _engine, index):
        return 100 * (index + 1)

    def ICudaEngine_get_tensor_profile_shape(self, engine, name, index):
        return [tuple(shape) for shape in engine.state["tensors"][name]["profiles"][index]]

    def ICudaEngine_is_shape_inference_io(self, _engine, _name):
        return False

    def ICudaEngine_get_tensor_format(self, _engine, name, _profile=0):
        return self.module.TensorFormat[self.order.get("formats", {}).get(name, "LINEAR")]

    def ICudaEngine_create_execution_context(self, engine, _strategy=None):
        return self.make("IExecutionContext", engine=engine, shapes={}, memory={}, outputs={})

    def IExecutionContext_active_optimization_profile(self, context):
        return context.state.get("profile", 0)

    def IExecutionContext_set_optimization_profile_async(self, context, index, _stream):
        context.state["profile"] = index
        return True

    def IExecutionContext_set_debug_listener(self, _context, _listener):
        return True

    def IExecutionContext_get_tensor_shape(self, context, name):
        """Outputs are of the shape of the one input."""
        shapes = context.state["shapes"]
        return shapes.get(name, next(iter(shapes.values()), None))

    def IExecutionContext_set_input_shape(self, context, name, shape):
        context.state["shapes"][name] = tuple(shape)
        return True

    def IExecutionContext_get_tensor_address(self, context, name):
        return context.state["memory"].get(name)

    def IExecutionContext_set_tensor_address(self, context, name, address):
        context.state["memory"][name] = address
        return True

    def IExecutionContext_set_output_allocator(self, context, name, allocator):
        context.state["outputs"][name] = allocator
        return True

    def IExecutionContext_execute_async_v3(self, context, _stream):
        """Double the one input: what stands for the device is this machine's memory."""
        [(name, shape)] = context.state["shapes"].items()
        memory = dict(context.state["memory"])
        address = memory.pop(name)
        count = math.prod(shape)
        values = (ctypes.c_float * count).from_address(address)
        for there in memory.values():
            (ctypes.c_float * count).from_address(there)[:] = [2 * value for value in values]
        for output, allocator in context.state["outputs"].items():
            there = allocator.reallocate_output_async(output, 0, 4 * count, 256, 0)
            (ctypes.c_float * count).from_address(there)[:] = [2 * value for value in values]
            allocator.notify_shape(output, shape)
        if context.state.get("profiler") is not None:
            for layer, ms in self.order.get("layers", {}).items():
                context.state["profiler"].report_layer_time(layer, ms)
        return not self.order.get("run_fails")
