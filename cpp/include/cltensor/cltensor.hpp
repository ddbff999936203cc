// cltensor in C++: everything.
#pragma once

#include "data.hpp"
#include "nn/activation.hpp"
#include "nn/conv.hpp"
#include "nn/embedding.hpp"
#include "nn/init.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/module.hpp"
#include "nn/norm.hpp"
#include "nn/recurrent.hpp"
#include "optim.hpp"
#include "safetensors.hpp"
