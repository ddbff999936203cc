// The player: runs programs that cltensor.export.save wrote, without Python.  A header, OpenCL's headers and nlohmann's JSON is all.
//
//     auto program = ct::player::Program::load("model.ctp");
//     const auto results = program({ct::player::read_npy("x.npy")});
//     ct::player::write_npy("y.npy", results[0]);
#pragma once

#include "player/array.hpp"
#include "player/device.hpp"
#include "player/expression.hpp"
#include "player/file.hpp"
#include "player/program.hpp"
